#include "dicom/pixels.h"

#include "dicom/access.h"
#include "dicom/codecs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace dicom {

namespace {

static_assert(std::endian::native == std::endian::little,
              "samples are unpacked as little endian words");

constexpr std::uint64_t mostPixels = 1ull << 27;  // 134 megapixels: 512 MiB of grey values
constexpr int mostFrames = 1 << 20;               // more is no picture but a damaged header

int integer(DcmItem& item, Tag tag, int absent)
{
    const double value = numberIn(item, tag).value_or(absent);
    return value >= 0 && value <= 1 << 30 ? static_cast<int>(value) : absent;
}

/// What Number of Frames says, at least 1.
double claimedFrames(const Dataset::Data& data)
{
    return std::max(1.0, std::floor(numberIn(data.set, {0x0028, 0x0008}).value_or(1)));
}

/// Bits of one frame that isn't compressed.
std::uint64_t frameBits(const PixelFormat& format)
{
    const int samples = format.photometric.ends_with("_422") && format.samples == 3
        ? 2
        : format.samples;  // Y Y Cb Cr
    return static_cast<std::uint64_t>(format.pixels()) *
        static_cast<std::uint64_t>(samples * format.allocated);
}

std::string of(std::uint64_t have, std::uint64_t want)
{
    return std::to_string(have) + " of " + std::to_string(want) + " bytes";
}

Error refuse(const Dataset::Data& data, const std::string& what)
{
    return Error(data.name + " " + what);
}

std::uint32_t word(const std::uint8_t* p)
{
    std::uint32_t value = 0;
    std::memcpy(&value, p, 4);
    return value;
}

/// Fragments of each frame [first, last), or empty where it can't be told.
std::vector<std::pair<std::size_t, std::size_t>>
framesByOffset(const std::vector<std::uint64_t>& offsets, const std::vector<Extent>& fragments)
{
    std::vector<std::pair<std::size_t, std::size_t>> frames;
    const std::uint64_t origin = fragments.empty() ? 0 : fragments.front().offset - 8;
    std::size_t at = 0;
    for (const std::uint64_t offset : offsets) {
        const auto found = std::lower_bound(
            fragments.begin(), fragments.end(), origin + offset + 8,
            [](const Extent& extent, std::uint64_t value) { return extent.offset < value; });
        if (found == fragments.end() || found->offset != origin + offset + 8) {
            return {};
        }
        const auto first = static_cast<std::size_t>(found - fragments.begin());
        if (!frames.empty()) {
            if (first <= at) {
                return {};
            }
            frames.back().second = first;
        } else if (first != 0) {
            return {};
        }
        frames.push_back({first, fragments.size()});
        at = first;
    }
    return frames;
}

std::vector<std::pair<std::size_t, std::size_t>> framesOfFragments(const Dataset::Data& data,
                                                                   std::size_t count)
{
    const PixelExtent& pixels = *data.scan.pixels;
    const std::vector<Extent>& fragments = pixels.fragments;
    if (count == 1) {
        return {{0, fragments.size()}};
    }
    std::vector<std::uint64_t> offsets;
    if (DcmElement* extended = find(data.set, {0x7FE0, 0x0001});
        extended && extended->getLength() == 8 * count) {
        Uint8* bytes = nullptr;
        Uint64* longs = nullptr;
        if (extended->getUint64Array(longs).good() && longs) {
            offsets.assign(longs, longs + count);
        } else if (extended->getUint8Array(bytes).good() && bytes) {
            offsets.resize(count);
            std::memcpy(offsets.data(), bytes, 8 * count);
        }
    } else if (pixels.offsetTable.size() >= 4 * count) {
        for (std::size_t i = 0; i < count; ++i) {
            offsets.push_back(word(pixels.offsetTable.data() + 4 * i));
        }
    }
    if (auto frames = framesByOffset(offsets, fragments); !frames.empty()) {
        return frames;
    }
    std::vector<std::pair<std::size_t, std::size_t>> frames;
    if (fragments.size() <= count) {  // a fragment each; the last ones may be missing
        for (std::size_t i = 0; i < fragments.size(); ++i) {
            frames.push_back({i, i + 1});
        }
        return frames;
    }
    for (std::size_t i = 0; i < fragments.size(); ++i) {  // no table: look where a stream begins
        const auto head = data.source->read(
            fragments[i].offset,
            static_cast<std::size_t>(std::min<std::uint64_t>(fragments[i].length, 12)));
        const bool jpeg = head.size() > 2 && head[0] == 0xFF &&
            (head[1] == 0xD8 || head[1] == 0x4F) && head[2] == 0xFF;
        const bool jp2 = head.size() >= 12 && std::memcmp(head.data() + 4, "jP  ", 4) == 0;
        if (jpeg || jp2 || frames.empty()) {
            if (!frames.empty()) {
                frames.back().second = i;
            }
            frames.push_back({i, fragments.size()});
        }
    }
    return frames;
}

/// Words of `format.allocated` bits to values: overlay bits above and below the stored ones go,
/// the sign is extended.
void unpack(const std::vector<std::uint8_t>& bytes, const PixelFormat& format,
            std::vector<std::int32_t>& values)
{
    const int shift = format.highBit + 1 - format.stored;
    const std::uint32_t mask = format.stored >= 32 ? 0xFFFFFFFFu : (1u << format.stored) - 1;
    const int up = 32 - format.stored;
    const auto convert = [&](auto sample) {
        using Sample = decltype(sample);
        const std::size_t count = std::min(values.size(), bytes.size() / sizeof(Sample));
        for (std::size_t i = 0; i < count; ++i) {
            Sample one;
            std::memcpy(&one, bytes.data() + i * sizeof(Sample), sizeof(Sample));
            const std::uint32_t bits = (static_cast<std::uint32_t>(one) >> shift) & mask;
            values[i] = format.isSigned ? static_cast<std::int32_t>(bits << up) >> up
                                        : static_cast<std::int32_t>(bits);
        }
    };
    if (format.allocated == 8) {
        convert(std::uint8_t{});
    } else if (format.allocated == 16) {
        convert(std::uint16_t{});
    } else {
        convert(std::uint32_t{});
    }
}

void swapWords(std::vector<std::uint8_t>& bytes, std::size_t size)
{
    for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
    }
}

/// The bytes of one frame that isn't compressed, in little endian words. `bit` is where it begins
/// in the first byte (1-bit frames are packed without gaps).
std::vector<std::uint8_t> nativeBytes(const Dataset::Data& data, const PixelFormat& format,
                                      int index, int& bit)
{
    const PixelExtent& pixels = *data.scan.pixels;
    const std::uint64_t bits = frameBits(format), first = bits * static_cast<std::uint64_t>(index);
    const std::uint64_t begin = first / 8, end = (first + bits + 7) / 8;
    bit = static_cast<int>(first % 8);
    if (end > pixels.value.length) {
        throw refuse(
            data,
            "holds " + of(pixels.value.length - std::min(pixels.value.length, begin), end - begin) +
                " of the pixels of frame " + std::to_string(index + 1) + " (" +
                std::to_string(format.columns) + " × " + std::to_string(format.rows) + "); " +
                (pixels.complete ? "its header is damaged"
                                 : "the file was probably cut off while it was copied"));
    }
    const bool big = data.scan.syntax == "1.2.840.10008.1.2.2";
    const std::size_t wordSize = format.allocated > 8
        ? static_cast<std::size_t>(format.allocated / 8)
        : pixels.vr == "OW" ? 2
                            : 1;
    if (!big || wordSize == 1) {
        return data.source->read(pixels.value.offset + begin,
                                 static_cast<std::size_t>(end - begin));
    }
    const std::uint64_t evenBegin = begin / wordSize * wordSize,
                        evenEnd = std::min((end + wordSize - 1) / wordSize * wordSize,
                                           pixels.value.length);
    std::vector<std::uint8_t> bytes = data.source->read(
        pixels.value.offset + evenBegin, static_cast<std::size_t>(evenEnd - evenBegin));
    swapWords(bytes, wordSize);
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(begin - evenBegin));
    bytes.resize(static_cast<std::size_t>(end - begin));
    return bytes;
}

/// YBR_FULL_422 as it lies in a file: Y1 Y2 Cb Cr for two pixels of a row.
void unpack422(const std::vector<std::uint8_t>& bytes, std::vector<std::int32_t>& values)
{
    for (std::size_t pixel = 0; pixel + 1 < values.size() / 3; pixel += 2) {
        const std::uint8_t* four = bytes.data() + pixel * 2;
        for (std::size_t n = 0; n < 2; ++n) {
            values[(pixel + n) * 3] = four[n];
            values[(pixel + n) * 3 + 1] = four[2];
            values[(pixel + n) * 3 + 2] = four[3];
        }
    }
}

void interleave(std::vector<std::int32_t>& values, std::size_t samples)
{
    std::vector<std::int32_t> together(values.size());
    const std::size_t plane = values.size() / samples;
    for (std::size_t s = 0; s < samples; ++s) {
        for (std::size_t i = 0; i < plane; ++i) {
            together[i * samples + s] = values[s * plane + i];
        }
    }
    values.swap(together);
}

template <typename Real>
void unpackReal(const std::vector<std::uint8_t>& bytes, std::vector<double>& real)
{
    for (std::size_t i = 0; i < real.size() && (i + 1) * sizeof(Real) <= bytes.size(); ++i) {
        Real one;
        std::memcpy(&one, bytes.data() + i * sizeof(Real), sizeof(Real));
        real[i] = static_cast<double>(one);
    }
}

void decodeNative(const Dataset::Data& data, int index, StoredFrame& frame)
{
    int bit = 0;
    const PixelFormat& format = frame.format;
    const std::vector<std::uint8_t> bytes = nativeBytes(data, format, index, bit);
    const std::size_t count = format.pixels() * static_cast<std::size_t>(format.samples);
    if (format.number != Number::Integer) {
        frame.real.resize(count);
        format.number == Number::Float ? unpackReal<float>(bytes, frame.real)
                                       : unpackReal<double>(bytes, frame.real);
        return;
    }
    frame.values.resize(count);
    if (format.allocated == 1) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = i + static_cast<std::size_t>(bit);
            frame.values[i] = bytes[at / 8] >> at % 8 & 1;
        }
    } else if (frameBits(format) != count * static_cast<std::size_t>(format.allocated)) {
        unpack422(bytes, frame.values);
        frame.format.photometric =
            format.photometric.starts_with("YBR_PARTIAL") ? "YBR_PARTIAL" : "YBR_FULL";
    } else {
        unpack(bytes, format, frame.values);
        if (format.samples > 1 && format.planar == 1) {
            interleave(frame.values, static_cast<std::size_t>(format.samples));
        }
    }
}

void decodeCompressed(const Dataset& dataset, int index, StoredFrame& frame)
{
    const Dataset::Data& data = dataset.data();
    const Codec* codec = findCodec(data.scan.syntax);
    const std::vector<std::uint8_t> stream = frameBytes(dataset, index);
    Decoded decoded;
    try {
        decoded = codec->decode(stream, frame.format, codec->uid);
    } catch (const Error& error) {
        throw refuse(data,
                     "has a frame (" + std::to_string(index + 1) + ", " + codec->name +
                         ") that could not be decompressed: " + error.what());
    }
    frame.format = decoded.format;
    frame.format.planar = 0;
    frame.values.resize(frame.format.pixels() * static_cast<std::size_t>(frame.format.samples));
    unpack(decoded.bytes, frame.format, frame.values);
    if (frame.format.samples == 3) {
        std::string& photometric = frame.format.photometric;
        if (decoded.color == Decoded::Color::Rgb || photometric == "YBR_RCT" ||
            photometric == "YBR_ICT") {
            photometric = "RGB";
        } else if (decoded.color == Decoded::Color::Ybr || photometric == "YBR_FULL_422") {
            photometric = "YBR_FULL";
        }
    }
}

/// Frames that the bytes of Pixel Data, as many as it says it has, can hold.
double roomForFrames(const Dataset& dataset)
{
    const PixelExtent& pixels = *dataset.data().scan.pixels;
    if (pixels.encapsulated) {
        const Codec* codec = findCodec(dataset.data().scan.syntax);
        return !pixels.complete || (codec && codec->video)
            ? mostFrames
            : static_cast<double>(pixels.fragments.size());
    }
    try {
        return std::floor(static_cast<double>(pixels.claimed) * 8 /
                          static_cast<double>(frameBits(pixelFormat(dataset))));
    } catch (const Error&) {
        return 1;  // decodeFrame says what is wrong with it
    }
}

}  // namespace

std::string objectName(const Dataset& dataset)
{
    const std::string own = dataset.text({0x0008, 0x0016}).value_or("");
    // a DICOMDIR has it in the meta header only
    const std::string uid = own.empty() ? dataset.text({0x0002, 0x0002}).value_or("") : own;
    const char* known = uid.empty() ? nullptr : dcmFindNameOfUID(uid.c_str());
    if (!known) {
        return uid.empty() ? "an object that does not say what it is"
                           : "an object of an unknown kind (" + uid + ")";
    }
    // "EncapsulatedPDFStorage" to "Encapsulated PDF": a word begins at a capital or a digit
    std::string words;
    const std::string name = known;
    const auto upper = [&](std::size_t at) {
        return at < name.size() && name[at] >= 'A' && name[at] <= 'Z';
    };
    const auto lower = [&](std::size_t at) {
        return at < name.size() && name[at] >= 'a' && name[at] <= 'z';
    };
    const auto digit = [&](std::size_t at) {
        return at < name.size() && name[at] >= '0' && name[at] <= '9';
    };
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool begins = upper(i) ? lower(i - 1) || (upper(i - 1) && lower(i + 1)) ||
                (i > 1 && digit(i - 2) && name[i - 1] == 'D')
                                     : digit(i) && !digit(i - 1);
        words += i > 0 && begins ? " " : "";
        words += name[i];
    }
    constexpr std::string_view storage = " Storage";
    if (words.ends_with(storage)) {
        words.resize(words.size() - storage.size());
    }
    return "an object of the kind " + words;
}

PixelFormat pixelFormat(const Dataset& dataset)
{
    const Dataset::Data& data = dataset.data();
    DcmItem& set = data.set;
    if (!data.scan.pixels) {
        if (!data.scan.problem.empty()) {
            throw refuse(
                data,
                data.scan.problem +
                    " before its pixel data; it is damaged, or was cut off while it was copied");
        }
        if (numberIn(set, {0x0028, 0x0010}).value_or(0) > 0) {
            throw refuse(data,
                         "describes a picture but has no pixel data; they were probably removed");
        }
        throw refuse(data, "holds no picture: it is " + objectName(dataset));
    }
    PixelFormat format;
    format.rows = integer(set, {0x0028, 0x0010}, 0);
    format.columns = integer(set, {0x0028, 0x0011}, 0);
    format.samples = integer(set, {0x0028, 0x0002}, 1);
    format.allocated = integer(set, {0x0028, 0x0100}, 0);
    format.stored = integer(set, {0x0028, 0x0101}, format.allocated);
    format.highBit = integer(set, {0x0028, 0x0102}, format.stored - 1);
    format.isSigned = integer(set, {0x0028, 0x0103}, 0) == 1;
    format.planar = integer(set, {0x0028, 0x0006}, 0);
    format.photometric = textIn(set, {0x0028, 0x0004});
    const std::uint16_t element = data.scan.pixels->tag.element;
    if (element != 0x0010) {
        format.number = element == 0x0008 ? Number::Float : Number::Double;
        format.allocated = format.stored = element == 0x0008 ? 32 : 64;
        format.highBit = format.allocated - 1;
    }
    if (format.photometric.empty()) {
        format.photometric = format.samples == 3 ? "RGB" : "MONOCHROME2";
    }
    if (!data.scan.pixels->encapsulated && data.scan.pixels->claimed == 0) {
        throw refuse(data, "has pixel data of no length; the picture was probably removed");
    }
    const auto of = [](int value) { return std::to_string(value); };
    if (format.rows == 0 || format.columns == 0) {
        throw refuse(data,
                     "says its picture has " + of(format.rows) + " rows and " + of(format.columns) +
                         " columns; its header is damaged");
    }
    if (format.pixels() > mostPixels) {
        throw refuse(data,
                     "claims a picture of " + of(format.columns) + " × " + of(format.rows) +
                         " pixels; more than " + std::to_string(mostPixels >> 20) +
                         " megapixels are not opened, and its header is probably damaged");
    }
    const bool known = format.number != Number::Integer || format.allocated == 1 ||
        format.allocated == 8 || format.allocated == 16 || format.allocated == 32;
    if (!known || format.stored < 1 || format.stored > format.allocated ||
        format.highBit >= format.allocated || format.highBit + 1 < format.stored) {
        throw refuse(data,
                     "stores " + of(format.stored) + " bits in " + of(format.allocated) +
                         " (high bit " + of(format.highBit) +
                         "), which makes no sense; its header is damaged");
    }
    const bool color = format.photometric == "RGB" || format.photometric.starts_with("YBR_");
    if (format.samples != (color ? 3 : 1)) {
        throw refuse(data,
                     "has " + of(format.samples) +
                         " samples a pixel with Photometric Interpretation " + format.photometric +
                         ", which this program does not read");
    }
    if (!color && format.photometric != "MONOCHROME1" && format.photometric != "MONOCHROME2" &&
        format.photometric != "PALETTE COLOR") {
        throw refuse(data,
                     "has Photometric Interpretation " + format.photometric +
                         ", which this program does not read");
    }
    if (format.photometric.ends_with("_422") && !data.scan.pixels->encapsulated &&
        (format.columns % 2 != 0 || format.allocated != 8)) {
        throw refuse(data,
                     "has " + format.photometric + " pixels in rows of " + of(format.columns) +
                         " with " + of(format.allocated) +
                         " bits; two pixels share a colour of 8 bits, so its header is damaged");
    }
    return format;
}

int countFrames(const Dataset& dataset)
{
    const Dataset::Data& data = dataset.data();
    if (!data.scan.pixels) {
        return 0;
    }
    return static_cast<int>(std::min({claimedFrames(data), std::max(1.0, roomForFrames(dataset)),
                                      static_cast<double>(mostFrames)}));
}

std::vector<std::uint8_t> frameBytes(const Dataset& dataset, int index)
{
    const Dataset::Data& data = dataset.data();
    const auto& fragments = data.scan.pixels->fragments;
    const auto count = static_cast<std::size_t>(countFrames(dataset));
    const auto frames = framesOfFragments(data, count);
    const auto at = static_cast<std::size_t>(index);
    if (fragments.empty() || at >= frames.size()) {
        throw refuse(
            data,
            "has compressed data for " + std::to_string(fragments.empty() ? 0 : frames.size()) +
                " of " + std::to_string(count) + " frames; " +
                (data.scan.pixels->complete ? "its header is damaged"
                                            : "the file was probably cut off while it was copied"));
    }
    if (data.scan.pixels->cut && frames[at].second == fragments.size()) {
        throw refuse(data,
                     "ends inside the pixel data of frame " + std::to_string(index + 1) +
                         "; it was probably cut off while it was copied");
    }
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = frames[at].first; i < frames[at].second; ++i) {
        const auto piece =
            data.source->read(fragments[i].offset, static_cast<std::size_t>(fragments[i].length));
        bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    return bytes;
}

StoredFrame storedFrame(const Dataset& dataset, int index, std::stop_token stop)
{
    const Dataset::Data& data = dataset.data();
    StoredFrame frame;
    frame.format = pixelFormat(dataset);
    const double claimed = claimedFrames(data);
    if (claimed > mostFrames) {
        throw refuse(data,
                     "claims " + std::to_string(static_cast<long long>(std::min(claimed, 9e15))) +
                         " frames; its pixel data can't hold them, so its header is damaged");
    }
    if (index < 0 || index >= static_cast<int>(claimed)) {
        throw refuse(data,
                     "has " + std::to_string(static_cast<int>(claimed)) + " frames; frame " +
                         std::to_string(index + 1) + " was asked for");
    }
    if (stop.stop_requested()) {
        throw Cancelled();
    }
    const Codec* codec = findCodec(data.scan.syntax);
    if (!codec) {
        throw refuse(data,
                     "is compressed in a way this program does not know (transfer syntax " +
                         data.scan.syntax + ")");
    }
    if (codec->video) {
        throw refuse(data,
                     std::string("holds a video (") + codec->name +
                         "), not single pictures; it is played, not decoded frame by frame");
    }
    if (data.scan.pixels->encapsulated && codec->decode) {
        if (frame.format.number != Number::Integer || frame.format.allocated == 1) {
            throw refuse(data,
                         std::string("has compressed pixels (") + codec->name +
                             ") of a kind that can't be compressed so; its header is damaged");
        }
        decodeCompressed(dataset, index, frame);
    } else if (!data.scan.pixels->encapsulated) {
        decodeNative(data, index, frame);
    } else {
        throw refuse(data,
                     std::string("has compressed pixels, but its transfer syntax says ") +
                         codec->name + "; its header is damaged");
    }
    if (stop.stop_requested()) {
        throw Cancelled();
    }
    return frame;
}

}  // namespace dicom
