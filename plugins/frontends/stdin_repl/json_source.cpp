// The part of Boost.JSON that is no template, compiled once for this plugin: linked into it and
// hidden, so that it meets no other version in the process.
#include <boost/json/src.hpp>
