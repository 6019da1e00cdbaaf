// RouterApi::Later, for the files that define RouterApi.
#pragma once

#include <memory>
#include <utility>

#include "router/api/router_api.h"

namespace tandem::api {

template <typename Response, typename Read>
void RouterApi::Later(Answer<Response> answer, Read read) {
  const absl::Status posted = parts_.readers->Post(
      [answer, read = std::move(read)](journal::Reader& reader) mutable { answer(read(reader)); });
  if (!posted.ok()) answer(posted);
}

// Answers with an error when `result` is one, else gives its value to what follows.
#define TANDEM_ASSIGN_OR_ANSWER(declaration, expression) \
  TANDEM_ASSIGN_OR_ANSWER_INNER(TANDEM_CONCAT(tandem_or_, __LINE__), declaration, expression)
#define TANDEM_ASSIGN_OR_ANSWER_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                          \
  if (!temporary.ok()) return answer(temporary.status());                 \
  declaration = *std::move(temporary)

}  // namespace tandem::api
