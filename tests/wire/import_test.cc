// An import of context is taken whole or not at all: one bad row, and nothing of the file counts.
#include <fmt/format.h>

#include "tandem/v1/context.pb.h"
#include "tests/wire/rig.h"

namespace tandem::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kImport[] = "/tandem.v1.Context/ImportEntities";

struct BadFile {
  const char* what;
  v1::ImportEntitiesRequest::Format format;
  std::string content;
  const char* where;
  const char* part;
};

std::vector<BadFile> BadFiles() {
  const std::string head = "kind,id,name,relation:runs_at\n";
  const std::string good = "site,new-1,New,\n";
  const std::string yaml = "entities:\n  - {kind: site, id: new-1}\n";
  const auto kCsv = v1::ImportEntitiesRequest::CSV;
  const auto kYaml = v1::ImportEntitiesRequest::YAML;
  return {
      {"a kind that there is not", kCsv, head + good + "sit,x,X,\n" + "site,new-2,N,\n",
       "row 3, column \"kind\"", "nearest: \"site\""},
      {"an id with a blank", kCsv, head + good + "site,a b,X,\n", "row 3, column \"id\"",
       "\"a b\" is no id"},
      {"a relation to no entity", kCsv, head + good + "site,x,X,plant\n",
       "row 3, column \"relation:runs_at\"", "names no entity"},
      {"a cell too few", kCsv, head + good + "site,x\n", "row 3", "expected 4"},
      {"a name that is not UTF-8", kCsv, head + good + "site,x,Z\xFCrich,\n",
       "row 3, column \"name\"", "UTF-8"},
      {"the same entity twice", kCsv, head + good + good, "row 3, column \"id\"", "occurs twice"},
      {"a name that is too long", kCsv, head + good + "site,x," + std::string(257, 'n') + ",\n",
       "row 3, column \"name\"", "256"},
      {"a control character", kCsv, head + good + "site,x,\x1B[2J,\n", "row 3, column \"name\"",
       ""},
      {"a kind that there is not", kYaml, yaml + "  - {kind: sit, id: x}\n",
       "3:", "nearest: \"site\""},
      {"a key that there is not", kYaml, yaml + "  - {kind: site, id: x, nam: X}\n", "3:", "nam"},
      {"a calendar that never is", kYaml,
       yaml + "  - {kind: site, id: x, calendars: {c: {intervals: [{weekdays: [mon]}]}}}\n",
       "3:", "monday"},
      {"a matcher that is none", kYaml, yaml + "  - {kind: site, id: x, matchers: ['a=~(']}\n",
       "3:", ""},
      {"no YAML", kYaml, yaml + "  - {kind: site\n", "", ""},
  };
}

class Import : public ::testing::Test {
 protected:
  Import() {
    const Reply first = Send("kind,id,name\nsite,old-1,Old\nsite,old-2,Old\n",
                             v1::ImportEntitiesRequest::CSV, Keep::kOthers);
    EXPECT_TRUE(first.status.ok()) << first.Text();
  }
  enum class Keep { kOthers, kNothing };

  Reply Send(const std::string& content, v1::ImportEntitiesRequest::Format format, Keep keep) {
    v1::ImportEntitiesRequest request;
    request.set_parent("tenants/harbor");
    request.set_format(format);
    request.set_content(content);
    request.set_replace_all(keep == Keep::kNothing);
    return rig_.CallBytes(kImport, editor_, request.SerializeAsString());
  }
  std::vector<std::string> Entities() {
    const auto list = rig_.Must<v1::ListEntitiesResponse>("/tandem.v1.Context/ListEntities",
                                                          editor_, "parent: 'tenants/harbor'");
    EXPECT_EQ(list.version(), 1U);
    std::vector<std::string> names;
    for (const v1::Entity& entity : list.entities()) names.push_back(entity.name());
    return names;
  }

  Rig rig_;
  const std::string editor_ = rig_.NewToken({"ed", v1::EDITOR, {"harbor"}});
};

TEST_F(Import, TakesNothingOfAFileWithOneBadRowAndNamesIt) {
  for (const BadFile& bad : BadFiles()) {
    for (const Keep keep : {Keep::kOthers, Keep::kNothing}) {
      SCOPED_TRACE(
          fmt::format("{} in {}", bad.what, v1::ImportEntitiesRequest::Format_Name(bad.format)));
      const Reply reply = Send(bad.content, bad.format, keep);
      EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << reply.Text();
      EXPECT_EQ(reply.reason(), "IMPORT_INVALID");
      const auto fields = FieldsOf(reply.error());
      ASSERT_EQ(fields.size(), 1U) << reply.Text();
      EXPECT_THAT(fields[0].field, ::testing::StartsWith(bad.where));
      EXPECT_THAT(fields[0].description, HasSubstr(bad.part));
      ExpectWellFormed(reply.status);
      EXPECT_THAT(Entities(), ElementsAre("tenants/harbor/entities/site/old-1",
                                          "tenants/harbor/entities/site/old-2"));
    }
  }
}

TEST_F(Import, TakesTheSameFileOnceItIsRight) {
  const Reply reply = Send("entities:\n  - {kind: site, id: new-1}\n",
                           v1::ImportEntitiesRequest::YAML, Keep::kNothing);
  ASSERT_TRUE(reply.status.ok()) << reply.Text();
  v1::ImportEntitiesResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.body));
  EXPECT_EQ(response.version(), 2U);
  EXPECT_EQ(response.created(), 1U);
  EXPECT_EQ(response.deleted(), 2U);
}

TEST_F(Import, IsRefusedAboveItsLimitAndWithoutAFormat) {
  const Reply large =
      Send(std::string((16 << 20) + 1, '\n'), v1::ImportEntitiesRequest::CSV, Keep::kOthers);
  EXPECT_EQ(large.reason(), "IMPORT_TOO_LARGE") << large.Text();
  EXPECT_THAT(large.status.error_message(), HasSubstr("at most 16777216"));
  ExpectWellFormed(large.status);
  const Reply none =
      Send("kind,id\n", v1::ImportEntitiesRequest::FORMAT_UNSPECIFIED, Keep::kOthers);
  EXPECT_EQ(none.reason(), "FORMAT_INVALID");
}

}  // namespace
}  // namespace tandem::wire
