// tandem-agent: sends alerts to a router from a file, from stdin, or from a made-up storm.
#include <utility>

#include "tools/agent/agent_run.h"
#include "tools/agent/agent_settings.h"

int main(int argc, char** argv) {
  tandem::client::ParsedArguments parsed = tandem::client::ParseArguments(argc, argv);
  if (!parsed.settings) return parsed.exit_code;
  return tandem::client::RunAgent(*std::move(parsed.settings));
}
