// The part of Boost.JSON that is not in templates, compiled for this plugin. Its symbols are
// hidden, so that it does not mix with another version in the process.
#include <boost/json/src.hpp>
