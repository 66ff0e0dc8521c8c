#pragma once

#include <string>

namespace app {

/// One line: asked for on the terminal, whose echo is off meanwhile, or from standard input where
/// that is none. Throws a sentence where there is none.
std::string askPassword();

/// Blots the word behind each --password out of the program's arguments, which other users of the
/// machine can list. Copy the arguments first.
void blotPasswords(int argc, char** argv);

}  // namespace app
