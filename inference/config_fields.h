#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace inference {

/// An object of config.json whose complaints name the file and the field. The object must outlive
/// it. null counts as absent.
class Fields {
public:
    Fields(const nlohmann::json& object, std::string file, std::string prefix = {});

    const nlohmann::json* find(const char* key) const;
    bool has(const char* key) const { return find(key) != nullptr; }
    Fields object(const char* key) const;
    /// `missing`: the value where the key is absent; without one it has to be there.
    int integer(const char* key, std::optional<int> missing, int least, int most) const;
    double number(const char* key, double missing, double above, double below) const;
    bool boolean(const char* key, bool missing) const;
    std::string text(const char* key, std::string missing) const;
    /// The first name of an `architectures` list.
    std::string architecture(std::string missing) const;

    [[noreturn]] void
    fail(const std::string& key, const std::string& expected,
         const std::string& cause =
             "the checkpoint was made for another program or edited by hand") const;

private:
    const nlohmann::json& m_object;
    std::string m_file;
    std::string m_prefix;
};

}  // namespace inference
