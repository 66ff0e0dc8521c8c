#pragma once

// Private to this folder: the only header with DCMTK in it.

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dctk.h>

#include "dicom/dataset.h"
#include "dicom/scan.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dicom {

struct Dataset::Data {
    std::filesystem::path file;
    std::string name;  // of the file, for messages
    std::unique_ptr<ByteSource> source;
    Scan scan;
    mutable DcmMetaInfo meta;
    mutable DcmDataset
        set;  // everything before the pixel data; DCMTK's reading members aren't const
};

/// Sets DCMTK up, once a process: its log off, its codecs registered. Throws Error where its data
/// dictionary is not installed.
void initialise();

/// As Dataset::read; `headerOnly` is what a study needs: values that are long stay unread.
std::unique_ptr<Dataset::Data> readData(const std::filesystem::path& file);

/// The element, or null. Not searched in sequences.
DcmElement* find(DcmItem& item, Tag tag);

/// Values as text in UTF-8, joined by backslashes; `charset` is Specific Character Set.
std::string textOf(DcmElement& element, const std::string& charset);
/// Binary and text numbers alike; what is no number is left out, and so is what follows it.
std::vector<double> numbersOf(DcmElement& element);
/// 16-bit words of a lookup table, whatever its VR; 8-bit tables as they are packed (low byte
/// first).
std::vector<std::uint16_t> wordsOf(DcmElement& element);

std::vector<double> numbersIn(DcmItem& item, Tag tag);
std::optional<double> numberIn(DcmItem& item, Tag tag, std::size_t index = 0);
std::string textIn(DcmItem& item, Tag tag);
/// The nth item of a sequence, or null.
DcmItem* itemOf(DcmItem& item, Tag sequence, unsigned long index = 0);

/// Throws Error: "<name> <what>: <condition>".
void check(const OFCondition& condition, const std::string& name, const std::string& what);

}  // namespace dicom
