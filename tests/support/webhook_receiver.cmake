# The webhook receiver, as a library for tests and as a program for the demonstration. Included by
# whoever needs it first (the notifier's tests).
include_guard(GLOBAL)

add_library(tandem_webhook_receiver_support STATIC ${CMAKE_CURRENT_LIST_DIR}/webhook_receiver.cc)
add_library(tandem::webhook_receiver ALIAS tandem_webhook_receiver_support)
target_link_libraries(tandem_webhook_receiver_support
  PUBLIC tandem::notifier_http
  PRIVATE tandem::warnings nlohmann_json::nlohmann_json)

add_executable(tandem-webhook-receiver ${CMAKE_CURRENT_LIST_DIR}/webhook_receiver_main.cc)
target_link_libraries(tandem-webhook-receiver
  PRIVATE tandem::webhook_receiver tandem::warnings CLI11::CLI11)
