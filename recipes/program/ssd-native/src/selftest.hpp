#pragma once

namespace ssd {

// Compares the engine with a plain computation of a small random network and checks resizing and
// suppression. Returns whether all agreed; prints what did not.
bool self_test();

}  // namespace ssd
