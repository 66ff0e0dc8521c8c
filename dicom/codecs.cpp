#include "dicom/codecs.h"

#include "dicom/access.h"

#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>

namespace dicom {

namespace {

/// Start of frame of JPEG and JPEG-LS, and who wrote it.
struct JpegHeader {
    int marker = 0;  // 0xC0 baseline, 0xC1 extended, 0xC3 lossless, 0xF7 JPEG-LS
    int precision = 0, width = 0, height = 0, components = 0;
    std::array<int, 4> ids{};
    int adobeTransform = -1;  // of APP14; -1: none
    bool jfif = false;
};

std::optional<JpegHeader> readJpegHeader(std::span<const std::uint8_t> stream)
{
    JpegHeader header;
    std::size_t at = 2;
    if (stream.size() < 4 || stream[0] != 0xFF || stream[1] != 0xD8) {
        return std::nullopt;
    }
    while (at + 4 <= stream.size()) {
        if (stream[at] != 0xFF) {
            return std::nullopt;
        }
        const int marker = stream[at + 1];
        if (marker == 0xFF) {
            ++at;
            continue;
        }
        const std::size_t length = static_cast<std::size_t>(stream[at + 2] << 8 | stream[at + 3]);
        if (marker == 0xDA || length < 2 || at + 2 + length > stream.size()) {
            return std::nullopt;
        }
        const auto segment = stream.subspan(at + 4, length - 2);
        const bool isFrame = (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 &&
                              marker != 0xC8 && marker != 0xCC) ||
            marker == 0xF7;
        if (isFrame && segment.size() >= 6) {
            header.marker = marker;
            header.precision = segment[0];
            header.height = segment[1] << 8 | segment[2];
            header.width = segment[3] << 8 | segment[4];
            header.components = segment[5];
            for (std::size_t i = 0; i < 4 && 6 + 3 * i < segment.size(); ++i) {
                header.ids[i] = segment[6 + 3 * i];
            }
            return header;
        }
        const auto begins = [&](std::string_view text) {
            return segment.size() >= text.size() &&
                std::equal(text.begin(), text.end(), segment.begin(), [](char a, std::uint8_t b) {
                       return static_cast<std::uint8_t>(a) == b;
                   });
        };
        if (marker == 0xE0 && begins("JFIF")) {
            header.jfif = true;
        } else if (marker == 0xEE && begins("Adobe") && segment.size() >= 12) {
            header.adobeTransform = segment[11];
        }
        at += 2 + length;
    }
    return std::nullopt;
}

std::string size(int width, int height)
{
    return std::to_string(width) + " × " + std::to_string(height);
}

/// One frame through DCMTK: a data set of its own with one fragment, so that a decoder never sees
/// the others and two frames can be decoded at once.
Decoded decodeWithDcmtk(std::span<const std::uint8_t> stream, PixelFormat format,
                        const std::string& syntax)
{
    const E_TransferSyntax xfer = DcmXfer(syntax.c_str()).getXfer();
    const std::size_t size =
        format.pixels() * static_cast<std::size_t>(format.samples * (format.allocated / 8));
    if (size + 1 > std::numeric_limits<Uint32>::max() ||
        stream.size() > std::numeric_limits<Uint32>::max() - 2) {
        throw Error("a frame is larger than 4 GiB");
    }
    DcmDataset one;
    const auto put = [&](const DcmTagKey& tag, int value) {
        one.putAndInsertUint16(tag, static_cast<Uint16>(value));
    };
    put(DCM_SamplesPerPixel, format.samples);
    one.putAndInsertString(DCM_PhotometricInterpretation,
                           format.samples == 1 ? "MONOCHROME2" : format.photometric.c_str());
    put(DCM_PlanarConfiguration, 0);
    one.putAndInsertString(DCM_NumberOfFrames, "1");
    put(DCM_Rows, format.rows);
    put(DCM_Columns, format.columns);
    put(DCM_BitsAllocated, format.allocated);
    put(DCM_BitsStored, format.stored);
    put(DCM_HighBit, format.highBit);
    put(DCM_PixelRepresentation, format.isSigned ? 1 : 0);

    auto sequence = std::make_unique<DcmPixelSequence>(DCM_PixelSequenceTag);
    sequence->insert(new DcmPixelItem(DCM_PixelItemTag));  // the empty offset table
    auto fragment = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
    std::vector<Uint8> even(stream.begin(), stream.end());
    even.resize(even.size() + even.size() % 2);
    fragment->putUint8Array(even.data(), static_cast<unsigned long>(even.size()));
    sequence->insert(fragment.release());
    auto pixels = std::make_unique<DcmPixelData>(DCM_PixelData);
    pixels->putOriginalRepresentation(xfer, nullptr, sequence.release());
    DcmPixelData& data = *pixels;
    one.insert(pixels.release());

    Decoded decoded;
    decoded.bytes.resize(size + size % 2);
    Uint32 first = 0;
    OFString model;
    const OFCondition result = data.getUncompressedFrame(
        &one, 0, first, decoded.bytes.data(), static_cast<Uint32>(decoded.bytes.size()), model);
    if (result.bad()) {
        throw Error(std::string("the decoder says: ") + result.text());
    }
    decoded.bytes.resize(size);
    decoded.format = std::move(format);
    return decoded;
}

/// RLE (PS3.5 Annex G): one segment for each byte of each sample, most significant byte first.
Decoded decodeRle(std::span<const std::uint8_t> stream, const PixelFormat& format,
                  const std::string&)
{
    const std::size_t sampleBytes = static_cast<std::size_t>(format.allocated / 8);
    const std::size_t pixelBytes = sampleBytes * static_cast<std::size_t>(format.samples);
    const auto word = [&](std::size_t i) {
        return static_cast<std::uint32_t>(stream[4 * i]) |
            static_cast<std::uint32_t>(stream[4 * i + 1]) << 8 |
            static_cast<std::uint32_t>(stream[4 * i + 2]) << 16 |
            static_cast<std::uint32_t>(stream[4 * i + 3]) << 24;
    };
    if (stream.size() < 64) {
        throw Error("its RLE header is cut off");
    }
    const std::uint32_t segments = word(0);
    if (format.allocated % 8 != 0 || segments != pixelBytes) {
        throw Error("it has " + std::to_string(segments) + " RLE segments where " +
                    std::to_string(pixelBytes) + " belong");
    }
    Decoded decoded;
    decoded.format = format;
    decoded.bytes.resize(format.pixels() * pixelBytes);
    for (std::size_t s = 0; s < segments; ++s) {
        std::size_t at = word(s + 1);
        const std::size_t end = s + 1 < segments ? word(s + 2) : stream.size();
        if (at < 64 || at > end || end > stream.size()) {
            throw Error("RLE segment " + std::to_string(s + 1) +
                        " lies outside of the frame's bytes");
        }
        // segment s is byte (sampleBytes - 1 - s % sampleBytes) of sample s / sampleBytes
        std::size_t to = s / sampleBytes * sampleBytes + (sampleBytes - 1 - s % sampleBytes);
        const auto write = [&](std::uint8_t value) {
            if (to < decoded.bytes.size()) {
                decoded.bytes[to] = value;
                to += pixelBytes;
            }
        };
        while (at < end && to < decoded.bytes.size()) {
            const int control = static_cast<std::int8_t>(stream[at++]);
            if (control >= 0) {
                for (int i = 0; i <= control && at < end; ++i) {
                    write(stream[at++]);
                }
            } else if (control != -128 && at < end) {
                const std::uint8_t value = stream[at++];
                for (int i = 0; i <= -control; ++i) {
                    write(value);
                }
            }
        }
        if (to < decoded.bytes.size()) {
            throw Error("RLE segment " + std::to_string(s + 1) + " ends before the last pixel");
        }
    }
    return decoded;
}

/// JPEG of all processes, and JPEG-LS.
Decoded decodeJpeg(std::span<const std::uint8_t> stream, const PixelFormat& format,
                   const std::string& syntax)
{
    const auto header = readJpegHeader(stream);
    if (!header) {
        throw Error("its JPEG header is missing or damaged");
    }
    if (header->width != format.columns || header->height != format.rows ||
        header->components != format.samples) {
        throw Error("the compressed picture is " + size(header->width, header->height) + " with " +
                    std::to_string(header->components) + " samples a pixel, but the header says " +
                    size(format.columns, format.rows) + " with " + std::to_string(format.samples));
    }
    if (header->precision > 16 || header->precision < 2) {
        throw Error("it has " + std::to_string(header->precision) +
                    " bits a sample, which JPEG does not know");
    }
    PixelFormat coded = format;
    coded.allocated = header->precision > 8 ? 16 : 8;
    if (header->precision <
        format.highBit + 1) {  // the stream has fewer bits than the header claims
        coded.stored = header->precision;
        coded.highBit = header->precision - 1;
    }
    if (format.samples == 3) {
        coded.photometric = "RGB";  // keeps the decoder from any transform of its own
    }
    Decoded decoded = decodeWithDcmtk(stream, coded, syntax);
    decoded.format.photometric = format.photometric;
    // A DCT stream says itself what its components are: APP14 first, then component ids, then JFIF
    // (always YCbCr); Photometric Interpretation decides only where it says nothing.
    if (format.samples == 3 &&
        (header->marker == 0xC0 || header->marker == 0xC1 || header->marker == 0xC2)) {
        if (header->adobeTransform >= 0) {
            decoded.color = header->adobeTransform == 0 ? Decoded::Color::Rgb : Decoded::Color::Ybr;
        } else if (header->ids[0] == 'R' && header->ids[1] == 'G' && header->ids[2] == 'B') {
            decoded.color = Decoded::Color::Rgb;
        } else if (header->jfif) {
            decoded.color = Decoded::Color::Ybr;
        }
    }
    return decoded;
}

constexpr std::array codecs{
    Codec{"1.2.840.10008.1.2", "Implicit VR Little Endian", nullptr},
    Codec{"1.2.840.10008.1.2.1", "Explicit VR Little Endian", nullptr},
    Codec{"1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", nullptr},
    Codec{"1.2.840.10008.1.2.2", "Explicit VR Big Endian", nullptr},
    Codec{"1.2.840.10008.1.2.5", "RLE Lossless", decodeRle},
    Codec{"1.2.840.10008.1.2.4.50", "JPEG Baseline", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.51", "JPEG Extended", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.53", "JPEG Spectral Selection", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.55", "JPEG Progressive", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.57", "JPEG Lossless", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.70", "JPEG Lossless SV1", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", decodeJpeg},
    Codec{"1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", decodeJpeg2000},
    Codec{"1.2.840.10008.1.2.4.91", "JPEG 2000", decodeJpeg2000},
    Codec{"1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Lossless", decodeJpeg2000},
    Codec{"1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2", decodeJpeg2000},
    Codec{"1.2.840.10008.1.2.4.201", "HTJ2K Lossless", decodeJpeg2000},
    Codec{"1.2.840.10008.1.2.4.202", "HTJ2K Lossless RPCL", decodeJpeg2000},
    Codec{"1.2.840.10008.1.2.4.203", "HTJ2K", decodeJpeg2000},
    Codec{"1.2.840.10008.1.2.4.100", "MPEG-2 Main Profile", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.100.1", "MPEG-2 Main Profile, fragmentable", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.101", "MPEG-2 High Level", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.101.1", "MPEG-2 High Level, fragmentable", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.102.1", "MPEG-4 AVC/H.264, fragmentable", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.103.1", "MPEG-4 AVC/H.264 BD-compatible, fragmentable", nullptr,
          true},
    Codec{"1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High 4.2 2D", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.104.1", "MPEG-4 AVC/H.264 High 4.2 2D, fragmentable", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High 4.2 3D", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.105.1", "MPEG-4 AVC/H.264 High 4.2 3D, fragmentable", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.106.1", "MPEG-4 AVC/H.264 Stereo, fragmentable", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.107", "HEVC/H.265 Main", nullptr, true},
    Codec{"1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10", nullptr, true},
};

}  // namespace

const Codec* findCodec(const std::string& uid)
{
    const auto found = std::find_if(codecs.begin(), codecs.end(),
                                    [&](const Codec& codec) { return uid == codec.uid; });
    return found == codecs.end() ? nullptr : &*found;
}

void registerCodecs()
{
    DJDecoderRegistration::registerCodecs(EDC_never, EUC_never, EPC_colorByPixel);
    DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
}

}  // namespace dicom
