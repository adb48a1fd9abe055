// The parts of Boost.Asio, Beast and JSON that are not templates, compiled once for this plugin.
// They are linked into it and hidden, so that no version of them meets another one in the process.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
#include <boost/json/src.hpp>
