"""The parts, from Google Benchmark's JSON: nanoseconds an alert, and what grows with what."""

from tandem_figures.results import median, median_of_ratios

NEW = "decide_new/rules:{}/incidents:{}/jobs:{}/active:{}"
REPEAT = "decide_repeat/rules:10/incidents:1000/jobs:10/active:{}"
ACTIVE = ((10_000, "10k"), (100_000, "100k"), (1_000_000, "1m"))
# Of these, key → name in Google Benchmark.
OTHERS = {
    "read_b64": "read/batch:64", "read_with_protobuf": "read_with_protobuf", "identity": "identity",
    "match_rules_10": "match/rules:10", "match_rules_10000": "match/rules:10000",
    "match_by_scan_rules_1000": "match_by_scan/rules:1000", "apply": "apply",
    "encode_new": "encode_new", "encode_repeat": "encode_repeat", "decode_new": "decode_new",
    "project_one_incident": "project/spread:0", "project_64_incidents": "project/spread:1",
    "append_memory_1": "append_memory/records:1", "append_sqlite_1": "append_sqlite/records:1",
    "append_sqlite_16": "append_sqlite/records:16", "snapshot_encode": "snapshot_encode",
    "snapshot_decode": "snapshot_decode",
    "walk_year": "walk_year", "walk_thousand": "walk_thousand/real_time",
}


def book(rules):
    """The part that decides the same alerts under a playbook of so many rules."""
    return NEW.format(rules, 10_000, 10_000, 100_000)


class Parts:
    """Nanoseconds an alert (or an iteration, where alerts are not counted), by name and round."""

    def __init__(self, printed):
        self.rounds = {}
        for entry in printed["benchmarks"]:
            if entry["run_type"] != "iteration":
                continue
            if entry.get("error_occurred"):
                raise RuntimeError(f"{entry['name']}: {entry['error_message']}")
            name = "/".join(part for part in entry["run_name"].split("/")
                            if part != "manual_time" and not part.startswith("iterations:"))
            each = entry.get("items_per_second")
            self.rounds.setdefault(name, {})[entry["repetition_index"]] = (
                1e9 / each if each else entry["real_time"])

    def nanoseconds(self, name):
        return median(self.rounds[name].values())

    def ratio(self, ours, reference):
        """The median of the ratios within each round: rounds of all parts are interleaved."""
        return median_of_ratios((self.rounds[ours][i], self.rounds[reference][i])
                                for i in self.rounds[ours])


def measure(rig, results):
    """All parts in one process, their repetitions in a random order."""
    printed = rig.parts()
    results.raw.append({"asked": ["parts"], "benchmarks": [
        entry for entry in printed["benchmarks"] if entry["run_type"] == "iteration"]})
    show(Parts(printed), results)


def show(parts, results):
    """The rows."""
    results.title("Parts (nanoseconds an alert in batches of 64; Google Benchmark)")
    for rules in (10, 1_000, 10_000):
        results.put(f"decide_new_ns_rules_{rules}",
                    parts.nanoseconds(book(rules)),
                    f"decide a new alert: {rules:,} rules, 10,000 incidents", "ns")
    results.put("rules_10000_over_10",
                parts.ratio(book(10_000), book(10)),
                "10,000 ÷ 10 rules, the same alerts", "×", "of 10,000 jobs, spread")
    results.put("rules_and_incidents_10000_over_10",
                parts.ratio(book(10_000), NEW.format(10, 10, 10, 100_000)),
                "10,000 rules, incidents and jobs ÷ 10 of each", "×")
    for count, name in ACTIVE:
        results.put(f"decide_new_ns_active_{name}",
                    parts.nanoseconds(NEW.format(10, 1_000, 10, count)),
                    f"decide a new alert: {count:,} active", "ns")
    for count, name in ACTIVE:
        results.put(f"decide_repeat_ns_active_{name}", parts.nanoseconds(REPEAT.format(count)),
                    f"decide a repeat: {count:,} active", "ns")
    for kind, name in (("new", NEW.format(10, 1_000, 10, "{}")), ("repeat", REPEAT)):
        results.put(f"decide_{kind}_active_1m_over_10k",
                    parts.ratio(name.format(1_000_000), name.format(10_000)),
                    f"decide, {kind}: 1,000,000 ÷ 10,000 active", "×")
    for key, name in OTHERS.items():
        results.put(f"{key}_ns", parts.nanoseconds(name), name, "ns")
    for key in ("calendar_is_on", "calendar_next_change"):
        results.put(f"{key}_ns", parts.nanoseconds(key), f"{key} (each)", "ns")
