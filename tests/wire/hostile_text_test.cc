// Every text field of every RPC is handed what nobody sends by mistake. The server has to answer,
// in one printable line, and to go on serving; what it took it must not hand back as control
// characters.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>

#include "tandem/v1/incidents.pb.h"
#include "tests/wire/calls.h"

namespace tandem::wire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const std::string kEscape = "\x1B[2J";

const std::vector<std::string>& Texts() {
  static const auto& texts = *new std::vector<std::string>{
      kEscape,
      std::string("a\0b", 3),
      std::string(70'000, 'x'),
      "../../../etc/passwd",
      "{}{0}%s%n",
      "'; DROP TABLE records; --",
      "\xE2\x80\xAEgpj.exe",  // a right-to-left override
      "tenants/harbor/incidents/1\r\nx-injected: 1",
      "tenants/" + std::string(5000, '/'),
  };
  return texts;
}

// Calls `visit` for each text of `message` that can be set, which changes it, and puts it back.
void ForEachText(Message& message,
                 const std::function<void(std::function<void(std::string)>)>& visit) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->is_map()) continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (field->is_repeated()) {
        for (int at = 0; at < reflection->FieldSize(message, field); ++at) {
          const std::string before = reflection->GetRepeatedString(message, field, at);
          visit([&, at](std::string text) {
            reflection->SetRepeatedString(&message, field, at, std::move(text));
          });
          reflection->SetRepeatedString(&message, field, at, before);
        }
      } else {
        const std::string before = reflection->GetString(message, field);
        visit([&](std::string text) { reflection->SetString(&message, field, std::move(text)); });
        reflection->SetString(&message, field, before);
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (field->is_repeated()) {
        for (int at = 0; at < reflection->FieldSize(message, field); ++at) {
          ForEachText(*reflection->MutableRepeatedMessage(&message, field, at), visit);
        }
      } else if (reflection->HasField(message, field)) {
        ForEachText(*reflection->MutableMessage(&message, field), visit);
      }
    }
  }
}

std::unique_ptr<Message> RequestOf(const std::string& method, const std::string& text) {
  std::string name = method.substr(1);
  std::replace(name.begin(), name.end(), '/', '.');
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  std::unique_ptr<Message> message(google::protobuf::MessageFactory::generated_factory()
                                       ->GetPrototype(found->input_type())
                                       ->New());
  EXPECT_TRUE(message->ParseFromString(RequestBytes(method, text)));
  return message;
}

class HostileText : public ::testing::Test {
 protected:
  void ExpectServed(const std::string& method, const std::string& token, const Message& request,
                    const std::string& text) {
    const Reply reply = rig_.CallBytes(method, token, request.SerializeAsString());
    if (reply.status.ok()) {
      EXPECT_EQ(reply.body.find(kEscape), std::string::npos) << "handed back";
      return;
    }
    EXPECT_NE(reply.status.error_code(), grpc::StatusCode::INTERNAL) << reply.Text();
    EXPECT_NE(reply.status.error_code(), grpc::StatusCode::UNKNOWN) << reply.Text();
    EXPECT_NE(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE) << reply.Text();
    ExpectWellFormed(reply.status);
    EXPECT_LE(reply.status.error_message().size(), 512U);
    EXPECT_EQ(reply.status.error_message().find(text.size() > 1000 ? text : kEscape),
              std::string::npos);
  }

  Rig rig_;
  const Callers callers_{rig_};
};

TEST_F(HostileText, IsAnsweredByEveryRpcInOnePrintableLine) {
  int calls = 0;
  for (const NamedCall& call : NamedCalls(callers_)) {
    const std::string method = fmt::format("/tandem.v1.{}", call.method);
    const auto request = RequestOf(method, Filled(call, call.own));
    ForEachText(*request, [&](const std::function<void(std::string)>& set) {
      for (const std::string& text : Texts()) {
        set(text);
        SCOPED_TRACE(fmt::format("{} {}", method, request->ShortDebugString().substr(0, 300)));
        ExpectServed(method, callers_.tokens.at(call.who), *request, text);
        ++calls;
      }
    });
  }
  EXPECT_GT(calls, 500);
  const auto incident =
      rig_.Must<v1::Incident>("/tandem.v1.Incidents/GetIncident", callers_.tokens.at("viewer"),
                              "name: 'tenants/harbor/incidents/1'");
  EXPECT_EQ(incident.rule(), "all");
}

// gRPC itself refuses them, before a handler is reached: proto3 has no such strings.
TEST_F(HostileText, IsRefusedWhenItIsNoUtf8) {
  for (const NamedCall& call : NamedCalls(callers_)) {
    const std::string method = fmt::format("/tandem.v1.{}", call.method);
    const std::string bytes = RequestBytes(method, Filled(call, call.own));
    const std::size_t at = bytes.find(call.own);
    ASSERT_NE(at, std::string::npos);
    std::string broken = bytes;
    broken[at] = '\xFF';
    SCOPED_TRACE(method);
    const Reply reply = rig_.CallBytes(method, callers_.tokens.at(call.who), broken);
    EXPECT_FALSE(reply.status.ok());
    EXPECT_NE(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  EXPECT_TRUE(rig_.Call("/tandem.v1.Admin/WhoAmI", rig_.admin(), "").status.ok());
}

}  // namespace
}  // namespace tandem::wire
