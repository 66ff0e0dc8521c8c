#include "dicom/text.h"

#include "dicom/access.h"

#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/ofstd/ofchrenc.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace dicom {

namespace {

constexpr Uint32 longestText = 1 << 20;  // bytes of a text value that are converted
constexpr Uint32 longestBinary = 64;     // bytes of a binary value that are written out

bool isAscii(std::string_view bytes)
{
    return std::none_of(bytes.begin(), bytes.end(),
                        [](unsigned char c) { return c >= 0x80 || c == 0x1B; });
}

/// Control characters have no place on screen; escapes of a set that was not understood among them.
std::string withoutControls(std::string text)
{
    std::erase_if(text, [](unsigned char c) {
        return (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7F;
    });
    return text;
}

/// Defined terms as people misspell them: "ISO IR 100", "ISO_IR 6", "iso_ir_192".
std::string mendedTerm(std::string term)
{
    const auto notBlank = term.find_first_not_of(' ');
    term = notBlank == std::string::npos
        ? ""
        : term.substr(notBlank, term.find_last_not_of(' ') - notBlank + 1);
    std::transform(term.begin(), term.end(), term.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    for (const char* prefix : {"ISO IR ", "ISO_IR_", "ISO-IR ", "ISO-IR-", "ISO_IR-"}) {
        if (term.starts_with(prefix)) {
            term = "ISO_IR " + term.substr(7);
        }
    }
    return term == "ISO_IR 6" || term == "ISO 2022 IR 6" ? ""
        : term == "UTF-8" || term == "UTF8"              ? "ISO_IR 192"
                                                         : term;
}

std::string mended(const std::string& charset)
{
    std::string result;
    std::size_t at = 0, count = 0;
    for (;;) {
        const std::size_t next = std::min(charset.find('\\', at), charset.size());
        std::string term = mendedTerm(charset.substr(at, next - at));
        if (charset.find('\\') != std::string::npos) {  // several: all need code extensions
            if (term.starts_with("ISO_IR ") && term != "ISO_IR 192") {
                term = "ISO 2022 IR " + term.substr(7);
            } else if (term.empty() && count > 0) {
                term = "ISO 2022 IR 6";
            }
        }
        result += (count++ > 0 ? "\\" : "") + term;
        if (next == charset.size()) {
            return result;
        }
        at = next + 1;
    }
}

/// iconv by way of DCMTK; nullopt where it has no such encoding, or the bytes are not of it.
std::optional<std::string> convert(const std::string& bytes, const char* encoding)
{
    OFCharacterEncoding converter;
    OFString text;
    if (converter.selectEncoding(encoding, "UTF-8").bad() ||
        converter.convertString(bytes.data(), bytes.size(), text).bad()) {
        return std::nullopt;
    }
    return std::string(text.data(), text.size());
}

/// ISO 2022 with JIS X 0208, 0212 and 0201 (PS3.3 C.12.1.1.2), which glibc's iconv knows only
/// together, as EUC-JP: the escapes go, the bytes move to where EUC-JP has that set.
std::string eucFromJapanese(const std::string& bytes)
{
    enum { Ascii, Katakana, Kanji, Supplement } state = Ascii;
    std::string euc;
    const auto high = [](char c) {
        return static_cast<char>(static_cast<unsigned char>(c) | 0x80);
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::string_view rest = std::string_view(bytes).substr(i);
        if (rest.starts_with("\x1B$B") || rest.starts_with("\x1B$@")) {
            state = Kanji;
            i += 2;
        } else if (rest.starts_with("\x1B$(D")) {
            state = Supplement;
            i += 3;
        } else if (rest.starts_with("\x1B(I")) {
            state = Katakana;
            i += 2;
        } else if (rest.starts_with("\x1B(") || rest.starts_with("\x1B)")) {
            state = rest[1] == '(' ? Ascii : state;
            i += 2;
        } else if (static_cast<unsigned char>(bytes[i]) >= 0x80 ||
                   (state == Katakana && bytes[i] > ' ')) {
            euc += '\x8E';
            euc += high(bytes[i]);
        } else if ((state == Kanji || state == Supplement) && bytes[i] > ' ' &&
                   i + 1 < bytes.size()) {
            euc += state == Supplement ? "\x8F" : "";
            euc += high(bytes[i]);
            euc += high(bytes[++i]);
        } else {
            euc += bytes[i];
        }
    }
    return euc;
}

/// What DCMTK's own conversion lacks in a build with glibc's iconv.
std::optional<std::string> convertSpecial(const std::string& bytes, const std::string& terms)
{
    if (terms == "ISO_IR 203") {
        return convert(bytes, "ISO-8859-15");
    }
    if (terms.find("2022 IR 87") != std::string::npos ||
        terms.find("2022 IR 159") != std::string::npos ||
        terms.find("2022 IR 13") != std::string::npos) {
        return convert(eucFromJapanese(bytes), "EUC-JP");
    }
    return std::nullopt;
}

}  // namespace

bool isUtf8(std::string_view bytes)
{
    for (std::size_t i = 0; i < bytes.size();) {
        const auto lead = static_cast<unsigned char>(bytes[i]);
        const std::size_t more = lead < 0x80 ? 0
            : lead >= 0xC2 && lead < 0xE0    ? 1
            : lead >= 0xE0 && lead < 0xF0    ? 2
            : lead >= 0xF0 && lead < 0xF5    ? 3
                                             : 4;
        if (more == 4 || i + more >= bytes.size() + (more == 0 ? 1 : 0)) {
            return false;
        }
        for (std::size_t n = 1; n <= more; ++n) {
            const auto next = static_cast<unsigned char>(bytes[i + n]);
            const bool overlong = n == 1 &&
                ((lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) ||
                 (lead == 0xF0 && next < 0x90) || (lead == 0xF4 && next > 0x8F));
            if ((next & 0xC0) != 0x80 || overlong) {
                return false;
            }
        }
        i += more + 1;
    }
    return true;
}

std::string fromLatin1(std::string_view bytes)
{
    std::string text;
    for (const char byte : bytes) {
        const auto c = static_cast<unsigned char>(byte);
        if (c < 0x80) {
            text += byte;
        } else {
            text += static_cast<char>(0xC0 | c >> 6);
            text += static_cast<char>(0x80 | (c & 0x3F));
        }
    }
    return text;
}

std::string shorten(std::string text, std::size_t length)
{
    if (text.size() <= length) {
        return text;
    }
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
        --length;
    }
    text.resize(length);
    return text + "…";
}

std::string toUtf8(const std::string& bytes, const std::string& charset, const char* delimiters)
{
    if (isAscii(bytes)) {
        return withoutControls(bytes);
    }
    const std::string terms = mended(charset);
    if (auto special = convertSpecial(bytes, terms)) {
        return withoutControls(*std::move(special));
    }
    DcmSpecificCharacterSet converter;
    OFString text;
    if (!terms.empty() && converter.selectCharacterSet(OFString(terms.c_str())).good() &&
        converter.convertString(bytes.data(), bytes.size(), text, OFString(delimiters)).good() &&
        isUtf8(std::string_view(text.data(), text.size()))) {
        return withoutControls({text.data(), text.size()});
    }
    return withoutControls(isUtf8(bytes) ? bytes : fromLatin1(bytes));
}

std::string textOf(DcmElement& element, const std::string& charset)
{
    const Uint32 length = element.getLength();
    const DcmEVR vr = element.ident();
    const bool isText = DcmVR(vr).isaString();
    if (length > (isText ? longestText : longestBinary * 8) ||
        (!isText && (vr == EVR_OB || vr == EVR_OW || vr == EVR_UN || vr == EVR_UNKNOWN) &&
         length > longestBinary)) {
        return std::to_string(length) + " bytes";
    }
    if (Uint8* raw = nullptr;
        (vr == EVR_UN || vr == EVR_UNKNOWN) && element.getUint8Array(raw).good() && raw) {
        std::string bytes(reinterpret_cast<const char*>(raw), length);
        bytes.erase(bytes.find_last_not_of(std::string_view(" \0", 2)) + 1);
        if (std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0x20 && c < 0x7F; })) {
            return bytes;  // text whose kind got lost on its way
        }
    }
    OFString value;
    if (element.getOFStringArray(value).bad()) {
        return {};
    }
    std::string bytes(value.data(), value.size());
    while (!bytes.empty() && (bytes.back() == ' ' || bytes.back() == '\0')) {
        bytes.pop_back();
    }
    const char* delimiters = vr == EVR_PN              ? "\\^="
        : vr == EVR_LT || vr == EVR_ST || vr == EVR_UT ? "\r\n\t\f"
                                                       : "\\";
    std::string text =
        toUtf8(bytes, element.isAffectedBySpecificCharacterSet() ? charset : "", delimiters);
    if (isText && vr != EVR_LT && vr != EVR_ST && vr != EVR_UT) {  // values are padded one by one
        for (std::size_t at = text.find(" \\"); at != std::string::npos;
             at = text.find(" \\", at > 0 ? at - 1 : 0)) {
            text.erase(at, 1);
        }
    }
    return text;
}

}  // namespace dicom
