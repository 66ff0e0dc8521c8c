// make_demo OUT
// Draws the demonstration study (resources/demo): two DICOM series, an endoscopy-like and a
// tissue-like picture, a paper with charts, and demo.json with questions and their right answers.
// The same files each time.
#include "inference/mini/png.h"
#include "tools/demo/demo_dicom.h"
#include "tools/demo/demo_paper.h"
#include "tools/demo/demo_pictures.h"

#include <nlohmann/json.hpp>

#include <QGuiApplication>
#include <QHashFunctions>
#include <QImage>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using demo::Picture;
using inference::mini::Extent;
using inference::mini::Record;
using inference::mini::Scene;

Json corners(const Extent& extent)
{
    const auto rounded = [](double percent) { return std::round(percent * 100) / 100; };
    return {rounded(extent.left), rounded(extent.top), rounded(extent.right),
            rounded(extent.bottom)};
}

class Study {
public:
    explicit Study(fs::path folder)
        : m_folder(std::move(folder))
    {
        fs::create_directories(m_folder);
    }

    void series(const std::string& name, Scene scene, int number,
                const std::vector<std::vector<std::string_view>>& asked)
    {
        fs::create_directories(m_folder / name);
        const std::string manner(inference::mini::name(scene));
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const Picture picture = demo::draw({scene, asked[i], 3}, 100 * i);
            const std::string file = name + "/" + std::to_string(i + 1) + ".dcm";
            demo::writeDicom(picture.image,
                             {manner, "Phantoms in the manner of " + manner, number, int(i) + 1},
                             m_folder / file);
            ask(picture, file, 0, {});
        }
        m_open.push_back(name);
    }

    void still(const std::string& file, const demo::Wish& wish, int quality)
    {
        const Picture picture = demo::draw(wish, 0);
        const inference::Image& image = picture.image;
        if (file.ends_with(".png")) {
            inference::mini::writePng(image, m_folder / file);
        } else if (!QImage(image.pixels.get(), image.width, image.height, image.stride,
                           QImage::Format_RGB888)
                        .save(QString::fromStdString((m_folder / file).string()), "JPEG",
                              quality)) {
            throw std::runtime_error((m_folder / file).string() + " can't be written");
        }
        ask(picture, file, 0, {});
        m_open.push_back(file);
    }

    void paper(const std::string& file, const std::vector<demo::Wish>& wishes)
    {
        std::vector<Picture> charts;
        charts.reserve(wishes.size());
        for (const demo::Wish& wish : wishes) {
            charts.push_back(demo::draw(wish, 0));
        }
        const auto figures = demo::writePaper(charts, m_folder / file);
        for (std::size_t i = 0; i < charts.size(); ++i) {
            ask(charts[i], file, figures[i].page, figures[i].place);
        }
        m_open.push_back(file);
    }

    void finish() const
    {
        const Json all{
            {"title", "Demonstration study"}, {"open", m_open}, {"questions", m_questions}};
        std::ofstream out(m_folder / "demo.json");
        out << all.dump(1) << '\n';
        if (!out.flush()) {
            throw std::runtime_error((m_folder / "demo.json").string() + " can't be written");
        }
    }

private:
    void ask(const Picture& picture, const std::string& file, int frame, const QRect& region)
    {
        for (const Record& record : picture.records) {
            Json one{{"file", file}, {"frame", frame}};
            if (!region.isNull()) {
                one["region"] = {region.x(), region.y(), region.width(), region.height()};
            }
            one["kind"] = record.kind;
            one["question"] = record.question;
            one["thought"] = record.thought;
            one["answer"] = record.answer;
            one["boxes"] = Json::array();
            for (const Extent& box : record.boxes) {
                one["boxes"].push_back(corners(box));
            }
            m_questions.push_back(std::move(one));
        }
    }

    fs::path m_folder;
    Json m_open = Json::array(), m_questions = Json::array();
};

}  // namespace

int main(int argc, char** argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QHashSeed::setDeterministicGlobalSeed();  // else fonts in the PDF come in any order
    const QGuiApplication application(argc, argv);
    if (argc != 2) {
        std::fprintf(stderr, "make_demo OUT\n");
        return 2;
    }
    try {
        Study study(argv[1]);
        study.series(
            "ct", Scene::Ct, 1,
            {{"count", "box", "side"}, {"place", "inside", "yesno"}, {"more", "count", "refuse"}});
        study.series("mr", Scene::Mr, 2, {{"count", "side", "picture"}, {"box", "yesno"}});
        study.still("endoscopy.jpg", {Scene::Endoscopy, {"count", "box", "side", "yesno"}, 3}, 92);
        study.still("tissue.png", {Scene::Tissue, {"count", "yesno", "picture"}, 4}, 0);
        study.paper("paper.pdf",
                    {{Scene::BarChart, {"type", "highest", "title", "count"}, 3},
                     {Scene::LineChart, {"trend", "count", "xlabel"}, 2},
                     {Scene::PieChart, {"highest", "legend=absent"}, 3}});
        study.finish();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
