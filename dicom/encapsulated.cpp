#include "dicom/encapsulated.h"

#include "dicom/access.h"
#include "dicom/codecs.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>

namespace dicom {

namespace {

constexpr std::uint64_t mostInMemory = 1ull << 30;

/// By the first bytes: the transfer syntax tells the coding, not the container around it.
void nameVideo(const std::vector<std::uint8_t>& head, Encapsulated& found)
{
    const auto begins = [&](std::size_t at, std::string_view text) {
        return head.size() >= at + text.size() &&
            std::memcmp(head.data() + at, text.data(), text.size()) == 0;
    };
    using namespace std::string_view_literals;
    if (begins(4, "ftyp")) {
        found.mimeType = "video/mp4";
        found.suffix = ".mp4";
    } else if (begins(0, "\0\0\1\xBA"sv) || begins(0, "\0\0\1\xB3"sv)) {
        found.mimeType = "video/mpeg";
        found.suffix = ".mpg";
    } else if (begins(0, "\x47"sv)) {
        found.mimeType = "video/mp2t";
        found.suffix = ".ts";
    } else if (begins(0, "\0\0\0\1\x40"sv) || begins(0, "\0\0\1\x40"sv)) {
        found.mimeType = "video/h265";
        found.suffix = ".h265";
    } else if (begins(0, "\0\0\0\1"sv) || begins(0, "\0\0\1"sv)) {
        found.mimeType = "video/h264";
        found.suffix = ".h264";
    } else {
        found.mimeType = "application/octet-stream";
        found.suffix = ".bin";
    }
}

std::string suffixOf(const std::string& mimeType)
{
    return mimeType == "application/pdf"                          ? ".pdf"
        : mimeType == "text/xml" || mimeType == "application/xml" ? ".xml"
        : mimeType == "model/stl"                                 ? ".stl"
        : mimeType == "model/obj"                                 ? ".obj"
                                                                  : ".bin";
}

DcmElement* document(const Dataset& dataset)
{
    return find(dataset.data().set, {0x0042, 0x0011});
}

/// Calls `piece` with the bytes in order.
template <typename Piece>
void eachPiece(const Dataset& dataset, const Encapsulated& found, const std::stop_token& stop,
               Piece piece)
{
    const Dataset::Data& data = dataset.data();
    if (DcmElement* element = document(dataset)) {
        Uint8* bytes = nullptr;
        check(element->getUint8Array(bytes), data.name,
              "has an encapsulated document that could not be read");
        piece(bytes, static_cast<std::size_t>(found.length));
        return;
    }
    constexpr std::uint64_t block = 1 << 22;
    for (const Extent& fragment : data.scan.pixels->fragments) {
        for (std::uint64_t at = 0; at < fragment.length; at += block) {
            if (stop.stop_requested()) {
                throw Cancelled();
            }
            const auto bytes =
                data.source->read(fragment.offset + at,
                                  static_cast<std::size_t>(std::min(block, fragment.length - at)));
            piece(bytes.data(), bytes.size());
        }
    }
}

}  // namespace

std::optional<Encapsulated> describeEncapsulated(const Dataset& dataset)
{
    const Dataset::Data& data = dataset.data();
    Encapsulated found;
    for (const Tag tag : {Tag{0x0042, 0x0010}, Tag{0x0008, 0x103E}, Tag{0x0008, 0x1030}}) {
        if (found.title.empty()) {
            found.title = dataset.text(tag).value_or("");
        }
    }
    if (DcmElement* element = document(dataset)) {
        found.length = element->getLength();
        // the value is padded to an even length; the true one may be told (0042,0015)
        const auto told = dataset.number({0x0042, 0x0015});
        if (told && *told > 0 && *told <= static_cast<double>(found.length)) {
            found.length = static_cast<std::uint64_t>(*told);
        }
        found.mimeType = dataset.text({0x0042, 0x0012}).value_or("");
        if (found.mimeType.empty() &&
            dataset.text({0x0008, 0x0016}) == "1.2.840.10008.5.1.4.1.1.104.1") {
            found.mimeType = "application/pdf";
        }
        found.suffix = suffixOf(found.mimeType);
        return found;
    }
    const Codec* codec = findCodec(data.scan.syntax);
    if (!codec || !codec->video || !data.scan.pixels || data.scan.pixels->fragments.empty()) {
        return std::nullopt;
    }
    const auto& fragments = data.scan.pixels->fragments;
    for (const Extent& fragment : fragments) {
        found.length += fragment.length;
    }
    nameVideo(data.source->read(
                  fragments.front().offset,
                  static_cast<std::size_t>(std::min<std::uint64_t>(fragments.front().length, 16))),
              found);
    return found;
}

std::optional<Encapsulated> readEncapsulated(const Dataset& dataset)
{
    auto found = describeEncapsulated(dataset);
    if (found) {
        if (found->length > mostInMemory) {
            throw Error(dataset.data().name + " carries " + std::to_string(found->length >> 20) +
                        " MiB of " + found->mimeType + "; at most " +
                        std::to_string(mostInMemory >> 20) + " MiB are opened");
        }
        eachPiece(dataset, *found, {}, [&](const std::uint8_t* bytes, std::size_t length) {
            found->bytes.insert(found->bytes.end(), bytes, bytes + length);
        });
    }
    return found;
}

void writeEncapsulated(const Dataset& dataset, const std::filesystem::path& file,
                       std::stop_token stop)
{
    const auto found = describeEncapsulated(dataset);
    if (!found) {
        throw Error(dataset.data().name + " carries neither a video nor a document; it is " +
                    objectName(dataset));
    }
    std::filesystem::path part = file;
    part += ".part";
    std::error_code ignored;
    try {
        std::ofstream out(part, std::ios::binary | std::ios::trunc);
        eachPiece(dataset, *found, stop, [&](const std::uint8_t* bytes, std::size_t length) {
            out.write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(length));
        });
        out.close();
        if (!out) {
            throw Error(file.string() +
                        " could not be written; the folder may be read-only or the disk full");
        }
        std::filesystem::rename(part, file);
    } catch (const std::filesystem::filesystem_error& error) {
        std::filesystem::remove(part, ignored);
        throw Error(file.string() + " could not be written: " + error.code().message());
    } catch (...) {
        std::filesystem::remove(part, ignored);
        throw;
    }
}

}  // namespace dicom
