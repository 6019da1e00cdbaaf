// tandem-webhook-receiver: see what the notifier sends, and see it cope with a receiver that
// misbehaves. Ends on SIGINT or SIGTERM.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tests/support/webhook_receiver.h"

namespace {

using tandem::testing::ReceivedWebhook;
using tandem::testing::ReceiverOptions;

void Print(const ReceivedWebhook& webhook) {
  fmt::print("{} {} {} {}\n", tandem::TimeText(webhook.time), tandem::Printable(webhook.path),
             tandem::Printable(webhook.webhook_id),
             webhook.signature_valid ? "signature valid" : webhook.signature_problem);
  std::fflush(stdout);
}

// Written beside and renamed, so that a reader never sees half of it.
bool WriteAddress(const std::string& file, const std::string& url) {
  const std::string temporary = file + ".new";
  {
    std::ofstream out(temporary);
    out << url << '\n';
    if (!out.flush()) return false;
  }
  return std::rename(temporary.c_str(), file.c_str()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  ReceiverOptions options;
  std::vector<std::string> secrets;
  std::string address_file;
  CLI::App app{"Receives webhooks, checks their signatures and records them"};
  app.add_option("--bind", options.bind, "Address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "Port; 0 for a free one")->capture_default_str();
  app.add_option("--address-file", address_file, "Where to write the URL that is listened on");
  app.add_option("--secret", secrets, "whsec_…; several during a rotation")
      ->envname("TANDEM_WEBHOOK_SECRET");
  app.add_option("--record", options.record_file, "File that gets a JSON line for each request");
  auto& manners = options.manners;
  app.add_option("--close-before-reply-first", manners.close_before_reply_first,
                 "Close the connection of the first N requests without an answer");
  app.add_option("--fail-first", manners.fail_first,
                 "Answer 503 to the first (or next) N requests");
  app.add_flag("--hang", manners.hang, "Never answer");
  app.add_flag("--slow", manners.slow, "Answer one byte each 200 ms");
  app.add_flag("--big-reply", manners.big_reply, "Answer with a body of 10 MiB");
  app.add_flag("--redirect", manners.redirect, "Answer 302");
  app.add_option("--status", manners.status, "The status to answer")->check(CLI::Range(200, 599));
  app.add_option("--retry-after", manners.retry_after, "Header of answers that are not 2xx");
  CLI11_PARSE(app, argc, argv);

  for (const std::string& text : secrets) {
    auto secret = tandem::notifier::SigningSecret::Parse(text);
    if (!secret.ok()) {
      fmt::print(stderr, "--secret: {}\n", tandem::MessageOf(secret.status()));
      return 2;
    }
    options.secrets.push_back(*std::move(secret));
  }
  options.on_request = Print;

  // Before the first thread, so that all of them leave these signals to sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto receiver = tandem::testing::WebhookReceiver::Start(options);
  if (!receiver.ok()) {
    fmt::print(stderr, "{}\n", tandem::MessageOf(receiver.status()));
    return 1;
  }
  const std::string url = fmt::format("http://{}:{}/", options.bind, (*receiver)->port());
  if (!address_file.empty() && !WriteAddress(address_file, url)) {
    fmt::print(stderr, "cannot write {}\n", address_file);
    return 1;
  }
  fmt::print("listening on {}\n", url);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}
