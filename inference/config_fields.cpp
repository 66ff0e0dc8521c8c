#include "inference/config_fields.h"

#include "inference/error.h"

namespace inference {

using nlohmann::json;

Fields::Fields(const json& object, std::string file, std::string prefix)
    : m_object(object)
    , m_file(std::move(file))
    , m_prefix(std::move(prefix))
{
}

const json* Fields::find(const char* key) const
{
    const auto at = m_object.find(key);
    return at == m_object.end() || at->is_null() ? nullptr : &*at;
}

Fields Fields::object(const char* key) const
{
    const json* value = find(key);
    if (!value || !value->is_object()) {
        fail(key, "an object", "the file is not the config.json of an InternVLChat checkpoint");
    }
    return {*value, m_file, m_prefix + key + "."};
}

int Fields::integer(const char* key, std::optional<int> missing, int least, int most) const
{
    const json* value = find(key);
    if (!value && missing) {
        return *missing;
    }
    if (!value || !value->is_number_integer() || *value < least || *value > most) {
        fail(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value->get<int>();
}

double Fields::number(const char* key, double missing, double above, double below) const
{
    const json* value = find(key);
    if (!value) {
        return missing;
    }
    if (!value->is_number() || !(value->get<double>() > above) || !(value->get<double>() < below)) {
        fail(key, "a number above " + json(above).dump() + " and below " + json(below).dump());
    }
    return value->get<double>();
}

bool Fields::boolean(const char* key, bool missing) const
{
    const json* value = find(key);
    if (value && !value->is_boolean()) {
        fail(key, "true or false");
    }
    return value ? value->get<bool>() : missing;
}

std::string Fields::text(const char* key, std::string missing) const
{
    const json* value = find(key);
    if (value && !value->is_string()) {
        fail(key, "a string");
    }
    return value ? value->get<std::string>() : std::move(missing);
}

std::string Fields::architecture(std::string missing) const
{
    const json* value = find("architectures");
    if (!value) {
        return missing;
    }
    if (!value->is_array() || value->empty() || !value->front().is_string()) {
        fail("architectures", "a list with a class name");
    }
    return value->front().get<std::string>();
}

void Fields::fail(const std::string& key, const std::string& expected,
                  const std::string& cause) const
{
    const json* value = find(key.c_str());
    std::string found =
        value ? value->dump(-1, ' ', false, json::error_handler_t::replace) : "nothing";
    if (found.size() > 80) {
        found = found.substr(0, 77) + "...";
    }
    throw Error(m_file + ": " + m_prefix + key + " is " + found + " where " + expected +
                " is expected; " + cause + ".");
}

}  // namespace inference
