#include "tools/tandem/deliveries_reader.h"

#include "router/base/status.h"
#include "tandem/v1/deliveries.grpc.pb.h"

namespace tandem::cli {

absl::StatusOr<std::vector<v1::Delivery>> ReadOpenDeliveries(Client& client,
                                                             const std::string& incident) {
  grpc::ClientContext context;
  client.Prepare(context);
  client.SetDeadline(context);
  v1::WatchDeliveriesRequest request;
  request.set_worker_id("tandem-cli (reads only)");
  v1::Deliveries::Stub stub(client.channel());
  const auto reader = stub.WatchDeliveries(&context, request);
  std::vector<v1::Delivery> deliveries;
  v1::DeliveryEvent event;
  while (reader->Read(&event)) {
    if (event.has_snapshot_end()) {
      context.TryCancel();
      reader->Finish();
      return deliveries;
    }
    if (event.has_open() && event.open().incident().name() == incident) {
      deliveries.push_back(event.open());
    }
  }
  const absl::Status status = client.Failed("Deliveries/WatchDeliveries", reader->Finish());
  if (!status.ok()) return status;
  return Error(absl::StatusCode::kUnavailable, "STREAM_ENDED",
               "the router ended the list of deliveries before it was whole");
}

}  // namespace tandem::cli
