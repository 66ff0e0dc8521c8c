#include "dicom/dataset.h"

#include "dicom/access.h"
#include "dicom/codecs.h"
#include "dicom/pixels.h"
#include "dicom/text.h"

#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcistrmf.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <charconv>
#include <mutex>

namespace dicom {

namespace {

constexpr const char* deflatedSyntax = "1.2.840.10008.1.2.1.99";
constexpr std::uint64_t mostHeader = 512ull << 20;     // bytes before the pixel data
constexpr std::uint64_t mostInflated = 1024ull << 20;  // a deflated file may grow to this
constexpr std::size_t longestShown = 400;              // characters of a value in attributes()
constexpr int deepestShown = 12;

/// DCMTK's filter undoes the deflation; this bounds what comes out of it.
std::vector<std::uint8_t> inflate(const std::filesystem::path& file, std::uint64_t offset,
                                  const std::string& name)
{
    DcmInputFileStream stream(OFFilename(file.c_str()), static_cast<offile_off_t>(offset));
    check(stream.status(), name, "could not be opened");
    check(stream.installCompressionFilter(ESC_zlib), name, "could not be inflated");
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint8_t> block(1 << 18);
    while (stream.good() && !stream.eos()) {
        const offile_off_t got = stream.read(block.data(), static_cast<offile_off_t>(block.size()));
        if (got <= 0) {
            break;
        }
        if (bytes.size() + static_cast<std::uint64_t>(got) > mostInflated) {
            throw Error(name + " inflates to more than " + std::to_string(mostInflated >> 20) +
                        " MiB, so it is refused");
        }
        bytes.insert(bytes.end(), block.begin(), block.begin() + got);
    }
    if (bytes.empty()) {
        throw Error(name +
                    " says it is deflated, but its data set could not be inflated; it is damaged");
    }
    return bytes;
}

E_TransferSyntax parserSyntax(const std::string& uid)
{
    if (uid == "1.2.840.10008.1.2") {
        return EXS_LittleEndianImplicit;
    }
    return uid == "1.2.840.10008.1.2.2" ? EXS_BigEndianExplicit : EXS_LittleEndianExplicit;
}

/// Parses exactly the bytes that the scan has walked, so that DCMTK meets no surprise.
void parse(Dataset::Data& data)
{
    const std::uint64_t length = data.scan.end - data.scan.dataset;
    if (length > mostHeader) {
        throw Error(data.name + " has more than " + std::to_string(mostHeader >> 20) +
                    " MiB besides its picture, so it is refused");
    }
    std::vector<std::uint8_t> bytes =
        data.source->read(data.scan.dataset, static_cast<std::size_t>(length));
    DcmInputBufferStream stream;
    stream.setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
    stream.setEos();
    data.set.transferInit();
    const OFCondition result = bytes.empty()
        ? EC_Normal
        : data.set.read(stream, parserSyntax(data.scan.syntax), EGL_noChange, DCM_MaxReadLength);
    data.set.transferEnd();
    if (data.set.card() == 0 && !data.scan.pixels) {
        throw Error(data.name + " has no attribute that can be read" +
                    (data.scan.problem.empty()
                         ? std::string(result.good() ? "" : std::string(": ") + result.text())
                         : ": it " + data.scan.problem) +
                    "; it is damaged or was cut off while it was copied");
    }
}

void add(std::vector<Attribute>& list, DcmItem& item, int depth, int limit, std::string charset)
{
    if (DcmElement* own = find(item, {0x0008, 0x0005})) {
        charset = textOf(*own, "");
    }
    for (unsigned long i = 0; i < item.card() && static_cast<int>(list.size()) < limit; ++i) {
        DcmElement* element = item.getElement(i);
        Attribute attribute;
        attribute.tag = {element->getGTag(), element->getETag()};
        attribute.vr = DcmVR(element->ident()).getValidVRName();
        DcmTag tag(element->getTag());
        attribute.keyword = tag.getTagName();
        if (attribute.keyword == "Unknown Tag & Data") {
            attribute.keyword.clear();
        }
        attribute.depth = depth;
        auto* sequence =
            element->ident() == EVR_SQ ? static_cast<DcmSequenceOfItems*>(element) : nullptr;
        if (sequence) {
            attribute.value =
                std::to_string(sequence->card()) + (sequence->card() == 1 ? " item" : " items");
        } else {
            attribute.value = shorten(textOf(*element, charset), longestShown);
        }
        list.push_back(std::move(attribute));
        if (sequence && depth < deepestShown) {
            for (unsigned long n = 0; n < sequence->card() && static_cast<int>(list.size()) < limit;
                 ++n) {
                list.push_back(
                    {{0xFFFE, 0xE000}, "", "Item " + std::to_string(n + 1), "", depth + 1});
                add(list, *sequence->getItem(n), depth + 2, limit, charset);
            }
        }
    }
}

}  // namespace

void initialise()
{
    static std::once_flag once;
    std::call_once(once, [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        registerCodecs();
    });
    if (!dcmDataDict.isDictionaryLoaded()) {
        throw Error("DCMTK's data dictionary (dicom.dic) was not found, so no DICOM file can be "
                    "read; the package libdcmtk17 is probably damaged");
    }
}

void check(const OFCondition& condition, const std::string& name, const std::string& what)
{
    if (condition.bad()) {
        throw Error(name + " " + what + ": " + condition.text());
    }
}

std::unique_ptr<Dataset::Data> readData(const std::filesystem::path& file)
{
    initialise();
    auto data = std::make_unique<Dataset::Data>();
    data->file = file;
    data->name = file.filename().string();
    data->source = std::make_unique<ByteSource>(file);
    data->scan = scanStart(*data->source, data->name);
    if (data->scan.meta) {
        data->meta.loadFile(
            OFFilename(file.c_str()));  // for display only; the scan has what matters
    }
    if (data->scan.syntax == deflatedSyntax) {
        data->source = std::make_unique<ByteSource>(inflate(file, data->scan.dataset, data->name));
        data->scan.dataset = 0;
    }
    scanElements(*data->source, data->scan, data->name);
    parse(*data);
    return data;
}

DcmElement* find(DcmItem& item, Tag tag)
{
    DcmElement* element = nullptr;
    return item.findAndGetElement(DcmTagKey(tag.group, tag.element), element).good() ? element
                                                                                     : nullptr;
}

std::vector<double> numbersIn(DcmItem& item, Tag tag)
{
    DcmElement* element = find(item, tag);
    return element ? numbersOf(*element) : std::vector<double>{};
}

std::optional<double> numberIn(DcmItem& item, Tag tag, std::size_t index)
{
    const std::vector<double> all = numbersIn(item, tag);
    return index < all.size() ? std::optional(all[index]) : std::nullopt;
}

std::string textIn(DcmItem& item, Tag tag)
{
    DcmElement* element = find(item, tag);
    if (!element) {
        return {};
    }
    DcmElement* charset = find(item, {0x0008, 0x0005});
    return textOf(*element, charset ? textOf(*charset, "") : "");
}

DcmItem* itemOf(DcmItem& item, Tag sequence, unsigned long index)
{
    DcmElement* element = find(item, sequence);
    if (!element || element->ident() != EVR_SQ) {
        return nullptr;
    }
    auto* items = static_cast<DcmSequenceOfItems*>(element);
    return index < items->card() ? items->getItem(index) : nullptr;
}

std::vector<double> numbersOf(DcmElement& element)
{
    std::vector<double> values;
    const auto take = [&](auto get) {
        for (unsigned long i = 0;; ++i) {
            double value = 0;
            if (!get(i, value)) {
                return;
            }
            values.push_back(value);
        }
    };
    const auto as = [&](auto number, auto member) {
        take([&, number](unsigned long i, double& value) mutable {
            const bool good = i < element.getVM() && (element.*member)(number, i).good();
            value = static_cast<double>(number);
            return good;
        });
    };
    switch (element.ident()) {
    case EVR_DS:
    case EVR_IS: {
        OFString text;
        element.getOFStringArray(text);
        std::size_t at = 0;
        while (at <= text.size()) {
            const std::size_t next = std::min(text.find('\\', at), text.size());
            std::string one(text.c_str() + at, next - at);
            one.erase(0, one.find_first_not_of(" +"));
            double value = 0;
            const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), value);
            if (error != std::errc{}) {
                break;
            }
            values.push_back(value);
            at = next + 1;
        }
        break;
    }
    case EVR_US:
    case EVR_xs:
        as(Uint16{},
           static_cast<OFCondition (DcmElement::*)(Uint16&, unsigned long)>(
               &DcmElement::getUint16));
        break;
    case EVR_SS:
        as(Sint16{},
           static_cast<OFCondition (DcmElement::*)(Sint16&, unsigned long)>(
               &DcmElement::getSint16));
        break;
    case EVR_UL:
    case EVR_OL:
        as(Uint32{},
           static_cast<OFCondition (DcmElement::*)(Uint32&, unsigned long)>(
               &DcmElement::getUint32));
        break;
    case EVR_SL:
        as(Sint32{},
           static_cast<OFCondition (DcmElement::*)(Sint32&, unsigned long)>(
               &DcmElement::getSint32));
        break;
    case EVR_FL:
    case EVR_OF:
        as(Float32{},
           static_cast<OFCondition (DcmElement::*)(Float32&, unsigned long)>(
               &DcmElement::getFloat32));
        break;
    case EVR_FD:
    case EVR_OD:
        as(Float64{},
           static_cast<OFCondition (DcmElement::*)(Float64&, unsigned long)>(
               &DcmElement::getFloat64));
        break;
    default:
        break;
    }
    return values;
}

std::vector<std::uint16_t> wordsOf(DcmElement& element)
{
    const Uint32 length = element.getLength();
    if (Uint16* words = nullptr; element.getUint16Array(words).good() && words) {
        return {words, words + length / 2};
    }
    if (Sint16* words = nullptr; element.getSint16Array(words).good() && words) {
        return {words, words + length / 2};
    }
    std::vector<std::uint16_t> result;
    if (Uint8* bytes = nullptr; element.getUint8Array(bytes).good() && bytes) {
        for (Uint32 i = 0; i < length; i += 2) {
            result.push_back(
                static_cast<std::uint16_t>(bytes[i] | (i + 1 < length ? bytes[i + 1] << 8 : 0)));
        }
    }
    return result;
}

Dataset::Dataset() = default;
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;
Dataset::~Dataset() = default;

Dataset Dataset::read(const std::filesystem::path& file)
{
    Dataset dataset;
    dataset.m_data = readData(file);
    return dataset;
}

bool Dataset::recognises(const std::filesystem::path& file)
{
    try {
        ByteSource source(file);
        scanStart(source, file.filename().string());
        return true;
    } catch (const Error&) {
        return false;
    }
}

const std::filesystem::path& Dataset::file() const
{
    return m_data->file;
}

std::optional<std::string> Dataset::text(Tag tag) const
{
    DcmItem& item = tag.group == 2 ? static_cast<DcmItem&>(m_data->meta) : m_data->set;
    DcmElement* element = find(item, tag);
    if (!element || element->ident() == EVR_SQ) {
        return std::nullopt;
    }
    DcmElement* charset = find(m_data->set, {0x0008, 0x0005});
    return textOf(*element, charset ? textOf(*charset, "") : "");
}

std::optional<double> Dataset::number(Tag tag, int index) const
{
    return index < 0 ? std::nullopt : numberIn(m_data->set, tag, static_cast<std::size_t>(index));
}

std::vector<double> Dataset::numbers(Tag tag) const
{
    return numbersIn(m_data->set, tag);
}

int Dataset::frameCount() const
{
    return countFrames(*this);
}

std::string Dataset::transferSyntax() const
{
    return m_data->scan.syntax;
}

std::vector<Attribute> Dataset::attributes(int limit) const
{
    std::vector<Attribute> list;
    add(list, m_data->meta, 0, limit, "");
    add(list, m_data->set, 0, limit, "");
    if (const auto& pixels = m_data->scan.pixels; pixels && static_cast<int>(list.size()) < limit) {
        DcmTag tag(pixels->tag.group, pixels->tag.element);
        std::string value = pixels->encapsulated ? std::to_string(pixels->fragments.size()) +
                (pixels->fragments.size() == 1 ? " fragment" : " fragments")
                                                 : std::to_string(pixels->value.length) + " bytes";
        if (!pixels->complete) {
            value += ", cut off";
        }
        list.push_back(
            {pixels->tag, pixels->vr.empty() ? "OW" : pixels->vr, tag.getTagName(), value, 0});
    }
    return list;
}

}  // namespace dicom
