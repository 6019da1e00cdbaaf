#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/status.h"
#include "router/playbook/compiler.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kTextMaxBytes = 1024;

// The names that a schedule may use.
struct Names {
  const NameTable& teams;
  const NameTable& people;
  const NameTable& calendars;
};

// Reads one schedule. What cannot be read gets its finding here and is left empty in the spec;
// `IsTold` knows it, so that it gets no second one for being empty.
class ScheduleReader {
 public:
  ScheduleReader(Reader& reader, const Names& names, const Playbook& playbook)
      : reader_(reader), names_(names), playbook_(playbook) {}

  ScheduleSpec Read(const ConfigNode& node) {
    ScheduleSpec spec;
    spec.name = node.key;
    reader_.OnlyKeys(node, {"team", "time_zone", "layers", "overrides"});
    if (const ConfigNode* team =
            reader_.Required(node, "team", "the team whose people are on call")) {
      if (const auto index = names_.teams.Resolve(*team, reader_)) {
        spec.team = *index;
        side_ = playbook_.teams()[*index].side;
      }
    }
    spec.time_zone = Text(node, "time_zone", "an IANA name such as Europe/Berlin", "");
    ReadLayers(node, spec);
    if (const ConfigNode* overrides = node.Find("overrides")) {
      for (const ConfigNode* item : reader_.List(*overrides, Schedule::kOverridesMax)) {
        const std::string path = fmt::format("overrides[{}].", spec.overrides.size());
        ReadOverride(*item, path, spec.overrides.emplace_back());
      }
    }
    return spec;
  }

  bool IsTold(const std::string& path) const {
    return std::find(told_.begin(), told_.end(), path) != told_.end();
  }

 private:
  std::string Text(const ConfigNode& map, std::string_view key, std::string_view what,
                   const std::string& path) {
    const ConfigNode* node = reader_.Required(map, key, what);
    const auto text = node == nullptr ? std::nullopt : reader_.Text(*node, kTextMaxBytes);
    if (!text) told_.push_back(path + std::string(key));
    return text.value_or("");
  }

  void ReadLayers(const ConfigNode& node, ScheduleSpec& spec) {
    const ConfigNode* layers =
        reader_.Required(node, "layers", "a list of layers; a later one covers those before it");
    if (layers == nullptr) return told_.push_back("layers");
    const auto& items = reader_.List(*layers, Schedule::kLayersMax);
    const bool empty = layers->kind == ConfigNode::Kind::kList && layers->children.empty();
    if (items.empty() && !empty) told_.push_back("layers");
    for (const ConfigNode* item : items) {
      const std::string path = fmt::format("layers[{}].", spec.layers.size());
      ReadLayer(*item, path, spec.layers.emplace_back());
    }
  }

  void ReadLayer(const ConfigNode& node, const std::string& path, LayerSpec& layer) {
    if (!reader_.IsMap(node)) return Skip(path, {"start", "rotate", "hand_over", "people"});
    reader_.OnlyKeys(node, {"name", "start", "rotate", "hand_over", "people", "only"});
    if (const ConfigNode* name = reader_.Required(node, "name", "a name that shifts show")) {
      layer.name = reader_.Name(*name).value_or("");
    }
    layer.start = Text(node, "start", "the day of the first hand-over, such as 2026-01-05", path);
    layer.rotate = Text(node, "rotate", "how long a turn lasts: 8h, 1d or 1w", path);
    layer.hand_over = Text(node, "hand_over", HandOverHint(layer.rotate), path);
    const ConfigNode* people =
        reader_.Required(node, "people", "people in the order of their turns");
    if (people == nullptr) Skip(path, {"people"});
    if (people != nullptr) {
      for (const ConfigNode* item : reader_.List(*people, Schedule::kRotationMax)) {
        if (const auto person = ReadPerson(*item)) layer.people.push_back(*person);
      }
      const bool empty = people->kind == ConfigNode::Kind::kList && people->children.empty();
      if (!empty && layer.people.empty()) Skip(path, {"people"});
    }
    if (const ConfigNode* only = node.Find("only")) layer.only = ReadOnly(*only);
  }

  static std::string HandOverHint(std::string_view rotate) {
    const bool weeks = rotate.ends_with('w');
    return fmt::format("when the next person takes over, such as \"{}\"",
                       weeks ? "monday 09:00" : "09:00");
  }

  const Calendar* ReadOnly(const ConfigNode& node) {
    if (!reader_.IsMap(node)) return nullptr;
    reader_.OnlyKeys(node, {"calendar"});
    const ConfigNode* calendar =
        reader_.Required(node, "calendar", "the name of a calendar of this playbook");
    if (calendar == nullptr || !names_.calendars.Resolve(*calendar, reader_)) return nullptr;
    return playbook_.FindCalendar(calendar->text);
  }

  void ReadOverride(const ConfigNode& node, const std::string& path, OverrideSpec& override) {
    if (!reader_.IsMap(node)) return Skip(path, {"from", "to"});
    reader_.OnlyKeys(node, {"from", "to", "person", "reason"});
    override.from = Text(node, "from", "a local time such as \"2026-12-24 09:00\"", path);
    override.to = Text(node, "to", "a local time such as \"2026-12-27 09:00\"", path);
    const ConfigNode* person = reader_.Required(node, "person", "who is on call instead");
    if (person != nullptr) override.person = ReadPerson(*person).value_or(0);
    if (const ConfigNode* reason = node.Find("reason")) {
      override.reason = reader_.Text(*reason, kTextMaxBytes).value_or("");
    }
  }

  std::optional<std::uint32_t> ReadPerson(const ConfigNode& node) {
    const bool nobody = node.kind == ConfigNode::Kind::kNothing || node.text == "nobody";
    if (nobody && !names_.people.Has(node.text)) {
      reader_.Error(node,
                    "nobody takes no turn; for hours without anybody give the layer a calendar: "
                    "`only: {calendar: NAME}`");
      return std::nullopt;
    }
    const auto index = names_.people.Resolve(node, reader_);
    if (!index) return std::nullopt;
    const Person& person = playbook_.people()[*index];
    CheckSide(node, person.name, person.side, {"person", "schedule", side_}, reader_);
    return index;
  }

  void Skip(const std::string& path, std::initializer_list<const char*> keys) {
    for (const char* key : keys) told_.push_back(path + key);
  }

  Reader& reader_;
  const Names names_;
  const Playbook& playbook_;
  Side side_ = Side::kUnspecified;
  std::vector<std::string> told_;
};

}  // namespace

void Compiler::CompileSchedules() {
  for (const ConfigNode* node : Section("schedules")) {
    reader_.IsName(*node, node->key);
    // One with mistakes has no place in the list; but then there is no playbook either.
    AddTarget(*node, {.kind = Target::Kind::kSchedule,
                      .index = static_cast<std::uint32_t>(playbook_->schedules_.size())});
    if (reader_.IsMap(*node)) CompileSchedule(*node);
  }
}

void Compiler::CompileSchedule(const ConfigNode& node) {
  ScheduleReader read(reader_, {teams_, people_, calendars_}, *playbook_);
  auto schedule = Schedule::Compile(read.Read(node));
  if (schedule.ok()) {
    playbook_->schedules_.push_back(*std::move(schedule));
    return;
  }
  for (const FieldError& field : FieldsOf(schedule.status())) {
    if (!read.IsTold(field.field)) reader_.Error(Deepest(node, field.field), field.description);
  }
}

}  // namespace tandem::playbook
