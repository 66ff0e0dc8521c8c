#include "dicom/study.h"

#include "dicom/access.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace dicom {

namespace {

namespace fs = std::filesystem;

constexpr const char* dicomdirClass = "1.2.840.10008.1.3.10";

using Vector = std::array<double, 3>;

/// What the order of a series needs to know of an instance.
struct Placed {
    Instance instance;
    std::optional<Vector> position, normal;  // mm, patient coordinates
};

struct Entry {
    Series series;
    std::vector<Placed> instances;
};

std::string textOr(const Dataset& dataset, Tag tag)
{
    return dataset.text(tag).value_or("");
}

int intOr(const Dataset& dataset, Tag tag)
{
    const double value = dataset.number(tag).value_or(0);
    return std::abs(value) < 2e9 ? static_cast<int>(value) : 0;
}

void place(const Dataset& dataset, Placed& placed)
{
    const std::vector<double> position = dataset.numbers({0x0020, 0x0032}),
                              axes = dataset.numbers({0x0020, 0x0037});
    if (position.size() < 3 || axes.size() < 6) {
        return;
    }
    placed.position = Vector{position[0], position[1], position[2]};
    placed.normal =
        Vector{axes[1] * axes[5] - axes[2] * axes[4], axes[2] * axes[3] - axes[0] * axes[5],
               axes[0] * axes[4] - axes[1] * axes[3]};
}

double dot(const Vector& a, const Vector& b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Distance of each slice along the normal they share; empty where they share none, or two slices
/// lie in one place (phases of a series in time, where a position tells nothing).
std::vector<double> distances(const std::vector<Placed>& slices)
{
    std::vector<double> along;
    for (const Placed& slice : slices) {
        if (!slice.position || !slice.normal || dot(*slice.normal, *slices.front().normal) < 0.99) {
            return {};
        }
        along.push_back(dot(*slice.position, *slices.front().normal));
    }
    std::vector<double> sorted = along;
    std::sort(sorted.begin(), sorted.end());
    const auto same = [](double a, double b) { return std::abs(a - b) < 1e-3; };
    return std::adjacent_find(sorted.begin(), sorted.end(), same) == sorted.end()
        ? along
        : std::vector<double>{};
}

std::vector<Instance> ordered(std::vector<Placed> slices)
{
    const std::vector<double> along = distances(slices);
    std::vector<std::size_t> order(slices.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (!along.empty() && along[a] != along[b]) {
            return along[a] < along[b];
        }
        const Instance &one = slices[a].instance, &other = slices[b].instance;
        return std::tie(one.instanceNumber, one.file) < std::tie(other.instanceNumber, other.file);
    });
    std::vector<Instance> instances;
    for (const std::size_t i : order) {
        instances.push_back(std::move(slices[i].instance));
    }
    return instances;
}

bool isWithin(const fs::path& file, const fs::path& folder)
{
    const auto [end, ignored] =
        std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
    return end == folder.end();
}

void addInstance(const Dataset& dataset, std::map<std::string, Entry>& entries)
{
    Placed placed;
    placed.instance.file = dataset.file();
    placed.instance.sopInstanceUid = textOr(dataset, {0x0008, 0x0018});
    placed.instance.sopClassUid = textOr(dataset, {0x0008, 0x0016});
    placed.instance.frames = dataset.frameCount();
    placed.instance.instanceNumber = intOr(dataset, {0x0020, 0x0013});
    place(dataset, placed);
    const std::string study = textOr(dataset, {0x0020, 0x000D}),
                      series = textOr(dataset, {0x0020, 0x000E});
    Entry& entry = entries[study + '\\' + series];
    if (entry.instances.empty()) {
        entry.series = {study,
                        series,
                        textOr(dataset, {0x0010, 0x0010}),
                        textOr(dataset, {0x0010, 0x0020}),
                        textOr(dataset, {0x0008, 0x0020}),
                        textOr(dataset, {0x0008, 0x1030}),
                        textOr(dataset, {0x0008, 0x0060}),
                        textOr(dataset, {0x0008, 0x103E}),
                        intOr(dataset, {0x0020, 0x0011}),
                        {}};
    }
    entry.instances.push_back(std::move(placed));
}

/// Regular files below `folder`, each once, in the order of their names. What a symbolic link in
/// it points at counts only where it lies in the folder itself.
std::vector<fs::path> filesBelow(const fs::path& folder, const std::stop_token& stop)
{
    std::error_code error;
    const fs::path root = fs::canonical(folder, error);
    fs::recursive_directory_iterator walk(root, fs::directory_options::skip_permission_denied,
                                          error);
    if (error) {
        throw Error("The folder " + folder.string() + " can't be read: " + error.message());
    }
    std::vector<fs::path> files;
    std::set<fs::path> seen;
    for (const fs::recursive_directory_iterator end; walk != end && !error; walk.increment(error)) {
        if (stop.stop_requested()) {
            throw Cancelled();
        }
        std::error_code broken;
        if (!walk->is_regular_file(broken) || broken) {
            continue;
        }
        const fs::path target =
            walk->is_symlink(broken) ? fs::canonical(walk->path(), broken) : walk->path();
        if (!broken && isWithin(target, root) && seen.insert(target).second) {
            files.push_back(folder / walk->path().lexically_relative(root));
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

Study readStudy(const fs::path& folder, const std::function<void(int)>& onFile,
                std::stop_token stop)
{
    // A DICOMDIR only names files of its folder: reading them all needs no trust in it.
    Study study;
    std::map<std::string, Entry> entries;
    int count = 0;
    for (const fs::path& file : filesBelow(folder, stop)) {
        if (stop.stop_requested()) {
            throw Cancelled();
        }
        if (!Dataset::recognises(file)) {
            ++study.others;
        } else {
            try {
                const Dataset dataset = Dataset::read(file);
                if (dataset.text({0x0002, 0x0002}) != dicomdirClass) {
                    addInstance(dataset, entries);
                }
            } catch (const Error& error) {
                study.refused.push_back(error.what());
            }
        }
        if (onFile) {
            onFile(++count);
        }
    }
    for (auto& [key, entry] : entries) {
        entry.series.instances = ordered(std::move(entry.instances));
        study.series.push_back(std::move(entry.series));
    }
    std::stable_sort(study.series.begin(), study.series.end(),
                     [](const Series& a, const Series& b) {
                         return std::tie(a.studyDate, a.studyUid, a.seriesNumber, a.seriesUid) <
                             std::tie(b.studyDate, b.studyUid, b.seriesNumber, b.seriesUid);
                     });
    return study;
}

}  // namespace dicom
