// The path of an alert asks nothing of the heap.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include "router/playbook/parse.h"
#include "router/playbook/playbook.h"

namespace {
thread_local std::size_t allocations = 0;
}  // namespace

// Replaces the program's operators by ones that count. Out of line: gcc would hold an inlined
// free() against the new that it stands for.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

namespace tandem::playbook {
namespace {

TEST(HotPath, BindsAndMatchesWithoutAllocating) {
  std::string source = R"(playbook: 1
tenant: t
contacts: {c: {side: provider, webhook: {url: "https://hooks.example/c"}}}
teams: {a: {side: provider, contacts: [c]}}
escalations: {e: {steps: [{after: 0s, notify: [a]}]}}
rules:
)";
  for (int i = 0; i < 1000; ++i) {
    source += fmt::format(
        "  - {{name: r{}, match: ['service=\"s{}\"', 'site.kind=\"k{}\"', "
        "'severity=~\"critical|maj.*\"'], "
        "owner: a, handling: autonomous, escalation: e, reason: r}}\n",
        i, i / 2, i % 7);
  }
  source += "  - {name: rest, owner: a, handling: autonomous, escalation: e, reason: r}\n";
  const auto playbook = CompilePlaybook(source).playbook;
  ASSERT_NE(playbook, nullptr);
  Environment environment;
  for (int i = 0; i < 100; ++i) {
    EntitySpec service;
    service.kind = "service";
    service.id = fmt::format("s{}", i);
    service.relations = {{"runs_at", fmt::format("site/plant-{}", i)}};
    ASSERT_TRUE(environment.Put(service).ok());
    EntitySpec site;
    site.kind = "site";
    site.id = fmt::format("plant-{}", i);
    site.attributes = {{"kind", fmt::format("k{}", i * 2 % 7)}};
    ASSERT_TRUE(environment.Put(site).ok());
  }
  const LabelView labels[] = {{"alertname", "Down"}, {"service", "s42"}, {"severity", "major"}};
  const absl::Time now = absl::FromUnixSeconds(1780340700);
  // A first match lets RE2 build what it keeps.
  EXPECT_EQ(playbook->rules()[playbook->MatchRule(labels, environment.Bind(labels), now).rule].name,
            "r84");

  const std::size_t before = allocations;
  const Binding binding = environment.Bind(labels);
  const Match match = playbook->MatchRule(labels, binding, now);
  const std::size_t after = allocations;

  ASSERT_GT(before, 0u) << "nothing is counted";
  EXPECT_EQ(after - before, 0u);
  EXPECT_EQ(match.rule, 84u);
}

}  // namespace
}  // namespace tandem::playbook
