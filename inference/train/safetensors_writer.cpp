#include "inference/train/safetensors_writer.h"

#include "inference/train/whole_file.h"

#include <nlohmann/json.hpp>

namespace inference::train {

void writeSafetensors(const std::filesystem::path& path, const std::vector<TensorBytes>& tensors)
{
    nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
    std::uint64_t at = 0;
    for (const TensorBytes& tensor : tensors) {
        const std::uint64_t end = at + tensor.bytes.size();
        header[tensor.name] = {
            {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
        at = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin at a multiple of 8
    std::string length;
    for (std::uint64_t n = text.size(); length.size() < 8; n >>= 8) {
        length += char(n & 0xff);
    }
    WholeFile file(path);
    file.write(length);
    file.write(text);
    for (const TensorBytes& tensor : tensors) {
        file.write(tensor.bytes);
    }
    file.commit();
}

}  // namespace inference::train
