"""What 10,000 rules cost the whole router. (What they cost a decision is among the parts.)"""

from tandem_figures.rig import tenant_of
from tandem_figures.results import median, median_of_ratios

FEW, MANY = 10, 10_000
SERVICES = 10_000  # and so incidents, with few rules and with many


def measure(rig, results):
    """Two tenants of one router, in turns: the rules are all that differs."""
    results.title("Server CPU an alert against rules (batch 64, every alert new)")
    spread = ("--sites", 1, "--services", SERVICES, "--jobs", MANY)
    plain, over_all = {FEW: [], MANY: []}, {FEW: [], MANY: []}
    with rig.router(rules=(FEW, MANY)) as router:
        for turn in range(rig.plan.pairs):
            for rules in ((FEW, MANY), (MANY, FEW))[turn % 2]:
                tenant = tenant_of(rules)
                plain[rules].append(rig.ingest(router, 64, "--run", turn, tenant=tenant))
                over_all[rules].append(
                    rig.ingest(router, 64, "--run", 100 + turn, *spread, tenant=tenant))
    for key, runs, text in (
            ("whole", plain, "alerts of the last rule, 10 incidents"),
            ("whole_spread", over_all, f"alerts of {MANY:,} jobs, {SERVICES:,} incidents")):
        cpu = {rules: [run["server_cpu_us_per_alert"] for run in runs[rules]] for rules in runs}
        for rules in (FEW, MANY):
            rate = median(run["alerts_per_second"] for run in runs[rules])
            results.put(f"rules_{key}_{rules}_cpu_us", median(cpu[rules]),
                        f"{rules:,} rules, {text}", "µs", f"{rate:,.0f}/s")
        results.put(f"rules_10000_over_10_{key}", median_of_ratios(zip(cpu[MANY], cpu[FEW])),
                    f"10,000 ÷ 10 rules, {text}", "×")
