#include "tests/wire/rig.h"
