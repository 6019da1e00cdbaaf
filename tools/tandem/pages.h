// Reading a list page by page. Header only: a template over the service's method.
#pragma once

#include <absl/status/statusor.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "router/base/status.h"
#include "tools/tandem/client.h"

namespace tandem::cli {

struct PageLimits {
  std::size_t page_size_max = 100;  // what the service allows
  std::size_t limit = 100'000;      // how many are wanted in all
};

// Calls `method` until `limits.limit` items are there or the list ends; the answer is one message
// with all of them, whose `next_page_token` is empty only at the end of the list. `items` gives the
// list's field of an answer.
template <typename Response, typename Stub, typename Request, typename Items>
absl::StatusOr<Response> ReadPages(Client& client, std::string_view name,
                                   grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                const Request&, Response*),
                                   Request request, Items items, PageLimits limits) {
  Response all;
  while (true) {
    const std::size_t have = static_cast<std::size_t>(items(all)->size());
    request.set_page_size(static_cast<int>(std::min(limits.page_size_max, limits.limit - have)));
    TANDEM_ASSIGN_OR_RETURN(Response page, client.Call(name, method, request));
    const bool nothing = items(page)->empty();
    all.MergeFrom(page);
    all.set_next_page_token(page.next_page_token());
    // A page may be empty although more follow; one that repeats its own token would not end.
    if (page.next_page_token().empty() ||
        (nothing && page.next_page_token() == request.page_token()) ||
        static_cast<std::size_t>(items(all)->size()) >= limits.limit) {
      return all;
    }
    request.set_page_token(page.next_page_token());
  }
}

}  // namespace tandem::cli
