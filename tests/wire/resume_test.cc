// A stream of alerts that is cut off anywhere, and what its agent sends again: nothing is lost, and
// nothing counts twice.
#include <fmt/format.h>

#include <future>
#include <thread>

#include "router/codec/alert_reader.h"
#include "router/core/state.h"
#include "tandem/v1/incidents.pb.h"
#include "tests/wire/agent.h"

namespace tandem::wire {
namespace {

class Resume : public ::testing::Test {
 protected:
  // Every incident is one alert.
  int Incidents(const std::string& tenant = "harbor") {
    return rig_
        .Must<v1::ListIncidentsResponse>("/tandem.v1.Incidents/ListIncidents", rig_.admin(),
                                         fmt::format("parent: 'tenants/{}' page_size: 500", tenant))
        .incidents_size();
  }
  std::unique_ptr<AgentStream> Stream() { return std::make_unique<AgentStream>(rig_, agent_); }

  Rig rig_;
  const std::string agent_ = rig_.NewToken({"agent-1", v1::AGENT, {"harbor"}});
};

TEST_F(Resume, GoesOnAboveTheLastDurableBatchAndKnowsWhatIsSentAgain) {
  auto stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 0U);
  for (std::uint64_t number = 1; number <= 3; ++number) {
    stream->Push(number, {fmt::format("A{}", number), fmt::format("B{}", number)});
    EXPECT_EQ(stream->ReceiptText(), fmt::format("{}: 2 taken", number));
  }
  stream->Cancel();
  const std::uint64_t head = rig_.HeadOf("harbor");

  stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 3U);
  for (std::uint64_t number = 1; number <= 3; ++number) {
    stream->Push(number, {fmt::format("A{}", number), fmt::format("B{}", number)});
    EXPECT_EQ(stream->ReceiptText(), fmt::format("{}: known", number));
  }
  EXPECT_EQ(rig_.HeadOf("harbor"), head) << "a repeat wrote something";
  stream->Push(4, {"A4"});
  EXPECT_EQ(stream->ReceiptText(), "4: 1 taken");
  EXPECT_EQ(Incidents(), 7);
}

TEST_F(Resume, LosesAndDoublesNothingWhereverItIsCutOff) {
  constexpr std::uint64_t kBatches = 40;
  const auto push = [](AgentStream& stream, std::uint64_t number) {
    stream.Push(number, {fmt::format("A{}", number)});
  };
  // Each try reads one receipt more before the line breaks.
  for (std::uint64_t receipts = 0; receipts < 6; ++receipts) {
    auto stream = Stream();
    const std::uint64_t durable = stream->Begin("spool");
    for (std::uint64_t number = durable + 1; number <= kBatches; ++number) push(*stream, number);
    for (std::uint64_t i = 0; i < receipts && durable + i < kBatches; ++i) {
      EXPECT_EQ(stream->Receipt().batch_number(), durable + i + 1);
    }
    stream->Cancel();
    stream->End();
  }
  auto stream = Stream();
  EXPECT_LE(stream->Begin("spool"), kBatches);
  for (std::uint64_t number = 1; number <= kBatches; ++number) push(*stream, number);
  stream->Done();
  for (std::uint64_t number = 1; number <= kBatches; ++number) {
    EXPECT_EQ(stream->Receipt().batch_number(), number);
  }
  EXPECT_TRUE(stream->End().ok());
  EXPECT_EQ(Incidents(), static_cast<int>(kBatches));
}

// Two machines of one name, or somebody who means harm: a receipt is never for another's batch.
TEST_F(Resume, KeepsThePositionsOfTwoPrincipalsApartThatUseOneClientId) {
  const std::string other = rig_.NewToken({"agent-2", v1::AGENT, {"harbor"}});
  AgentStream theirs(rig_, other);
  EXPECT_EQ(theirs.Begin("plant-7"), 0U);
  theirs.Push(1'000, {"Noise"});
  EXPECT_EQ(theirs.ReceiptText(), "1000: 1 taken");

  auto ours = Stream();
  EXPECT_EQ(ours->Begin("plant-7"), 0U);
  ours->Push(1, {"Fire"});

  EXPECT_EQ(ours->ReceiptText(), "1: 1 taken");
  EXPECT_EQ(Incidents(), 2);
}

// More than may await a receipt: the stream is held up, not refused.
TEST_F(Resume, AnswersInOrderHoweverManyAreOnTheirWay) {
  constexpr std::uint64_t kBatches = 300;
  auto stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 0U);
  std::thread sender([&] {
    for (std::uint64_t number = 1; number <= kBatches; ++number) stream->Push(number, {"Same"});
    stream->Done();
  });
  for (std::uint64_t number = 1; number <= kBatches; ++number) {
    EXPECT_EQ(stream->ReceiptText(), fmt::format("{}: 1 taken", number));
  }
  sender.join();
  EXPECT_TRUE(stream->End().ok());
  EXPECT_EQ(Incidents(), 1);
}

// Numbers rise, and gaps are allowed (an agent may drop what is too old): what lies below the last
// one is known, whether or not it ever came.
TEST_F(Resume, TakesAGapAndKnowsWhatLiesInIt) {
  auto stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 0U);
  stream->Push(5, {"A"});
  EXPECT_EQ(stream->ReceiptText(), "5: 1 taken");
  stream->Push(900, {"B"});
  EXPECT_EQ(stream->ReceiptText(), "900: 1 taken");
  stream->Push(7, {"C"});
  EXPECT_EQ(stream->ReceiptText(), "7: known");
  EXPECT_EQ(Incidents(), 2);
}

TEST_F(Resume, KeepsOnePositionForAClientHoweverItSends) {
  const auto push = [&](const std::string& token, const std::string& tenant,
                        const std::string& client, int number) {
    const auto response = rig_.Must<v1::PushAlertsResponse>(
        "/tandem.v1.AlertIngest/PushAlerts", token,
        fmt::format("parent: 'tenants/{}' client_id: '{}' batch {{ number: {} alerts {{ labels {{ "
                    "name: 'alertname' value: 'A' }} }} }}",
                    tenant, client, number));
    return response.receipt().already_durable() ? "known" : "taken";
  };
  const std::string editor = rig_.NewToken({"ed", v1::EDITOR, {"harbor", "mill"}});
  EXPECT_STREQ(push(agent_, "harbor", "spool", 4), "taken");
  EXPECT_STREQ(push(agent_, "harbor", "spool", 4), "known");
  auto stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 4U);
  stream->Push(5, {"B"});
  EXPECT_EQ(stream->ReceiptText(), "5: 1 taken");
  EXPECT_STREQ(push(agent_, "harbor", "spool", 5), "known");
  // Another client, and the same name in another tenant, have positions of their own.
  EXPECT_STREQ(push(agent_, "harbor", "spool-2", 1), "taken");
  EXPECT_STREQ(push(editor, "mill", "spool", 1), "taken");
}

TEST_F(Resume, EndsAtABatchThatIsRefusedAndTakesNoneBehindIt) {
  auto stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 0U);
  stream->Push(1, {"A"});
  EXPECT_EQ(stream->ReceiptText(), "1: 1 taken");
  stream->Push(2, {});
  stream->Push(3, {"C"});
  stream->Push(4, {"D"});
  const grpc::Status ended = stream->End();
  EXPECT_EQ(ended.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(rpc::FromGrpc(ended)), "NO_ALERTS");
  ExpectWellFormed(ended);

  stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 1U) << "a client's position passed a batch that was refused";
  stream->Push(2, {"B"});
  EXPECT_EQ(stream->ReceiptText(), "2: 1 taken");
  EXPECT_EQ(Incidents(), 2);
}

TEST_F(Resume, SaysWhichPartOfTheTalkIsMissing) {
  const auto reason = [&](const std::function<void(AgentStream&)>& talk) {
    AgentStream stream(rig_, agent_);
    talk(stream);
    const grpc::Status ended = stream.End();
    ExpectWellFormed(ended);
    return ReasonOf(rpc::FromGrpc(ended));
  };
  EXPECT_EQ(reason([](AgentStream& s) { s.Push(1, {"A"}); }), "HELLO_MISSING");
  EXPECT_EQ(reason([](AgentStream& s) { s.Hello(""); }), "CLIENT_ID_MISSING");
  EXPECT_EQ(reason([](AgentStream& s) { s.Hello("a b"); }), "CLIENT_ID_INVALID");
  EXPECT_EQ(reason([](AgentStream& s) { s.Hello("a", "tenants/mill"); }), "TENANT_NOT_FOUND");
  EXPECT_EQ(reason([](AgentStream& s) { s.Hello("a", "harbor"); }), "TENANT_NAME_INVALID");
  EXPECT_EQ(reason([](AgentStream& s) { s.Send({}); }), "MESSAGE_EMPTY");
  EXPECT_EQ(reason([](AgentStream& s) {
              s.Begin("a");
              s.Hello("a");
            }),
            "HELLO_TWICE");
  EXPECT_EQ(reason([](AgentStream& s) {
              s.Begin("a");
              s.Push(0, {"A"});
            }),
            "BATCH_NUMBER_MISSING");
}

TEST_F(Resume, GivesTheLastReceiptsToASenderThatIsDone) {
  auto stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 0U);
  for (std::uint64_t number = 1; number <= 10; ++number) stream->Push(number, {"A"});
  stream->Done();
  for (std::uint64_t number = 1; number <= 10; ++number) {
    EXPECT_EQ(stream->Receipt().batch_number(), number);
  }
  EXPECT_TRUE(stream->End().ok());
  // And to one that was done before it began.
  AgentStream silent(rig_, agent_);
  silent.Done();
  EXPECT_TRUE(silent.End().ok());
}

// A position is kept for the last 10,000 clients. One that was forgotten is told to begin at 0; its
// old batches are taken again, and the identity of their alerts still prevents doubles.
TEST_F(Resume, JudgesAForgottenClientByItsAlertsAlone) {
  auto stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 0U);
  stream->Push(8, {"A"});
  EXPECT_EQ(stream->ReceiptText(), "8: 1 taken");
  stream->Cancel();
  rig_.clock().Advance(absl::Seconds(1));

  v1::AlertBatch other;
  other.set_number(1);
  v1::Label* label = other.add_alerts()->add_labels();
  label->set_name("alertname");
  label->set_value("Other");
  for (std::size_t i = 0; i < core::Limits::kClientsMax; ++i) {
    auto batch = codec::ReadAlertBatch(other.SerializeAsString(), rig_.engine().identity_key(),
                                       rig_.clock().Now());
    ASSERT_TRUE(batch.ok());
    std::promise<void> done;
    auto answered = done.get_future();
    rig_.engine().Submit(
        {.tenant = TenantId("harbor"),
         .request = engine::AlertsReceived{fmt::format("c{}", i), *std::move(batch), nullptr},
         .done = [done = std::move(done)](absl::StatusOr<engine::Reply> reply) mutable {
           EXPECT_TRUE(reply.ok());
           done.set_value();
         }});
    ASSERT_EQ(answered.wait_for(kPatience), std::future_status::ready);
  }
  stream = Stream();
  EXPECT_EQ(stream->Begin("spool"), 0U);
  stream->Push(8, {"A"});
  EXPECT_EQ(stream->ReceiptText(), "8: 1 taken");
  EXPECT_EQ(Incidents(), 2);  // A and Other
}

}  // namespace
}  // namespace tandem::wire
