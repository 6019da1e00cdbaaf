// The checks of `tandem doctor`. Each asks one thing and answers with a line; none changes
// anything.
//
// One thread; each is done within the client's timeout.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "tandem/v1/admin.pb.h"
#include "tools/tandem/client.h"
#include "tools/tandem/doctor.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// Address, TLS with the life of the certificate, and health. The first check is bad when the router
// does not answer; then it is the only one.
std::vector<Check> CheckConnection(const Client& client, const Look& look);

// Who the token stands for, and until when: a notice from 14 days before its end on. `me` is filled
// when the router knows the token.
Check CheckToken(Client& client, const Look& look, v1::Principal& me);
// The same of an answer that is there already. Pure.
Check TokenCheck(const v1::WhoAmIResponse& answer, const Look& look);

// The router's clock against `look.now`, from the first answer of the feed.
Check CheckClock(const Client& client, const Look& look);

// The tenants that `me` has (`all`: asks for the list), and for each, up to 20, its active
// playbook, how old its context is, and who is not told of its incidents (doctor_deliveries.h).
std::vector<Check> CheckTenants(Client& client, const Look& look, const v1::Principal& me);

// The folder of a router on this machine: it is there, is writable, and has room.
std::vector<Check> CheckDataFolder(const std::string& folder);

// The admin endpoint of the router (HTTP): ready or not.
Check CheckAdminEndpoint(const std::string& address, absl::Duration timeout);

}  // namespace tandem::cli
