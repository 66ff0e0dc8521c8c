#include "dicom/codecs.h"
#include "dicom/error.h"

#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace dicom {

namespace {

struct Reader {
    std::span<const std::uint8_t> bytes;
    std::size_t at = 0;
};

OPJ_SIZE_T readBytes(void* into, OPJ_SIZE_T length, void* user)
{
    auto& reader = *static_cast<Reader*>(user);
    const std::size_t count = std::min<std::size_t>(length, reader.bytes.size() - reader.at);
    if (count == 0) {
        return static_cast<OPJ_SIZE_T>(-1);
    }
    std::memcpy(into, reader.bytes.data() + reader.at, count);
    reader.at += count;
    return count;
}

OPJ_OFF_T skipBytes(OPJ_OFF_T length, void* user)
{
    auto& reader = *static_cast<Reader*>(user);
    if (length < 0) {
        return -1;
    }
    const auto count = std::min<std::uint64_t>(static_cast<std::uint64_t>(length),
                                               reader.bytes.size() - reader.at);
    reader.at += static_cast<std::size_t>(count);
    return static_cast<OPJ_OFF_T>(count);
}

OPJ_BOOL seekBytes(OPJ_OFF_T position, void* user)
{
    auto& reader = *static_cast<Reader*>(user);
    if (position < 0 || static_cast<std::uint64_t>(position) > reader.bytes.size()) {
        return OPJ_FALSE;
    }
    reader.at = static_cast<std::size_t>(position);
    return OPJ_TRUE;
}

/// The codestream inside of JP2 boxes. DICOM wants it bare (PS3.5 A.4.4); writers that add boxes
/// often get them wrong, so they are searched, not parsed.
std::span<const std::uint8_t> codestream(std::span<const std::uint8_t> bytes)
{
    constexpr std::uint8_t start[] = {0xFF, 0x4F, 0xFF, 0x51};  // SOC, SIZ
    const auto within = bytes.first(std::min<std::size_t>(bytes.size(), 1 << 16));
    const auto found =
        std::search(within.begin(), within.end(), std::begin(start), std::end(start));
    if (found == within.end()) {
        throw Error("it has no JPEG 2000 codestream");
    }
    return bytes.subspan(static_cast<std::size_t>(found - within.begin()));
}

/// The SIZ marker: what the codestream says of itself, before OpenJPEG allocates for it.
void checkSize(std::span<const std::uint8_t> stream, const PixelFormat& format)
{
    if (stream.size() < 42) {
        throw Error("its JPEG 2000 header is cut off");
    }
    const auto u32 = [&](std::size_t at) {
        return static_cast<std::uint32_t>(stream[at]) << 24 |
            static_cast<std::uint32_t>(stream[at + 1]) << 16 |
            static_cast<std::uint32_t>(stream[at + 2]) << 8 | stream[at + 3];
    };
    const std::uint64_t width = static_cast<std::uint64_t>(u32(8)) - u32(16),
                        height = static_cast<std::uint64_t>(u32(12)) - u32(20);
    const int components = stream[40] << 8 | stream[41];
    if (width != static_cast<std::uint64_t>(format.columns) ||
        height != static_cast<std::uint64_t>(format.rows) || components != format.samples) {
        throw Error("the compressed picture is " + std::to_string(width) + " × " +
                    std::to_string(height) + " with " + std::to_string(components) +
                    " samples a pixel, but the header says " + std::to_string(format.columns) +
                    " × " + std::to_string(format.rows) + " with " +
                    std::to_string(format.samples));
    }
}

/// True where the codestream's own default style undoes a colour transform (COD, SGcod).
bool hasColorTransform(std::span<const std::uint8_t> stream)
{
    for (std::size_t at = 2;
         at + 4 <= stream.size() && stream[at] == 0xFF && stream[at + 1] != 0x90;) {
        const std::size_t length = static_cast<std::size_t>(stream[at + 2] << 8 | stream[at + 3]);
        if (stream[at + 1] == 0x52 && at + 8 < stream.size()) {
            return stream[at + 8] != 0;
        }
        at += 2 + std::max<std::size_t>(length, 2);
    }
    return false;
}

void keepMessage(const char* message, void* user)
{
    auto& kept = *static_cast<std::string*>(user);
    if (kept.empty()) {
        kept = message;
        kept.erase(
            std::find_if(kept.begin(), kept.end(), [](char c) { return c == '\n' || c == '\r'; }),
            kept.end());
    }
}

}  // namespace

Decoded decodeJpeg2000(std::span<const std::uint8_t> bytes, const PixelFormat& format,
                       const std::string&)
{
    const auto stream = codestream(bytes);
    checkSize(stream, format);
    Reader reader{stream};
    std::string message;
    const auto fail = [&]() -> Error {
        return Error("the JPEG 2000 decoder stopped" +
                     (message.empty() ? std::string() : " (" + message + ")") +
                     "; the stream is damaged or cut off");
    };
    const std::unique_ptr<opj_stream_t, decltype(&opj_stream_destroy)> input(
        opj_stream_create(std::clamp<std::size_t>(stream.size(), 1024, 1 << 20), OPJ_TRUE),
        opj_stream_destroy);
    const std::unique_ptr<opj_codec_t, decltype(&opj_destroy_codec)> codec(
        opj_create_decompress(OPJ_CODEC_J2K), opj_destroy_codec);
    opj_stream_set_user_data(input.get(), &reader, nullptr);
    opj_stream_set_user_data_length(input.get(), stream.size());
    opj_stream_set_read_function(input.get(), readBytes);
    opj_stream_set_skip_function(input.get(), skipBytes);
    opj_stream_set_seek_function(input.get(), seekBytes);
    opj_set_error_handler(codec.get(), keepMessage, &message);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(codec.get(), &parameters) ||
        !opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE)) {
        throw fail();
    }
    opj_image_t* raw = nullptr;
    const bool headerRead = opj_read_header(input.get(), codec.get(), &raw);
    const std::unique_ptr<opj_image_t, decltype(&opj_image_destroy)> image(raw, opj_image_destroy);
    if (!headerRead || !opj_decode(codec.get(), input.get(), image.get()) ||
        !opj_end_decompress(codec.get(), input.get())) {
        throw fail();
    }

    const auto samples = static_cast<std::size_t>(format.samples);
    if (image->numcomps != samples) {
        throw fail();
    }
    Decoded decoded;
    decoded.format = format;
    const int precision = static_cast<int>(image->comps[0].prec);
    decoded.format.allocated = precision > 16 ? 32 : precision > 8 ? 16 : 8;
    decoded.format.stored = std::min(precision, 32);
    decoded.format.highBit = decoded.format.stored - 1;
    const std::size_t sampleBytes = static_cast<std::size_t>(decoded.format.allocated / 8);
    for (std::size_t c = 0; c < samples; ++c) {
        const opj_image_comp_t& component = image->comps[c];
        if (component.w != static_cast<OPJ_UINT32>(format.columns) ||
            component.h != static_cast<OPJ_UINT32>(format.rows) || !component.data ||
            static_cast<int>(component.prec) != precision) {
            throw Error(
                "its colour components differ in size or depth, which this program does not read");
        }
    }
    decoded.bytes.resize(format.pixels() * samples * sampleBytes);
    for (std::size_t c = 0; c < samples; ++c) {
        const OPJ_INT32* data = image->comps[c].data;
        std::uint8_t* to = decoded.bytes.data() + c * sampleBytes;
        for (std::size_t i = 0; i < format.pixels(); ++i, to += samples * sampleBytes) {
            std::memcpy(to, data + i,
                        sampleBytes);  // two's complement; the sign is Pixel Representation's
        }
    }
    if (samples == 3 && hasColorTransform(stream)) {
        decoded.color = Decoded::Color::Rgb;
    }
    return decoded;
}

}  // namespace dicom
