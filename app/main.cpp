#include "app/bundled.h"
#include "app/workbench.h"

#include "ui/model/error.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>

#include <cstdio>
#include <cstring>

namespace {

// Qt ends the program with an abort where there is no display, so this comes before QApplication.
bool hasDisplay(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "-platform") == 0 || std::strcmp(argv[i], "--platform") == 0) {
            return true;
        }
    }
    return !qEnvironmentVariableIsEmpty("DISPLAY") ||
        !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") ||
        !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM");
}

void addOptions(QCommandLineParser& parser)
{
    parser.setApplicationDescription(
        "Ask questions about clinical and scientific images on your own machine.\n"
        "Not for clinical use.");
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOptions({
        {"model", "Load the checkpoint in <folder>.", "folder"},
        {"theme", "Colours: dark, light or contrast.", "name"},
        {"data-dir", "Keep sessions, settings and the log in <folder>.", "folder"},
    });
    parser.addPositionalArgument("files", "Pictures, DICOM files and folders, videos, PDFs.",
                                 "[files…]");
}

QStringList absolute(const QStringList& paths)
{
    QStringList all;
    for (const QString& path : paths) {
        all << QFileInfo(path).absoluteFilePath();
    }
    return all;
}

int runWithoutDisplay(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    QCommandLineParser parser;
    addOptions(parser);
    if (parser.parse(application.arguments()) &&
        (parser.isSet("help") || parser.isSet("version"))) {
        parser.process(application);  // prints and ends
    }
    const bool bundled = parser.value("model").isEmpty() && !app::findBundled().model.empty();
    const QString model = bundled
        ? QString()
        : QStringLiteral("--model %1 ")
              .arg(parser.value("model").isEmpty() ? QStringLiteral("FOLDER")
                                                   : parser.value("model"));
    const QString image = parser.positionalArguments().value(0, QStringLiteral("FILE"));
    std::fprintf(stderr,
                 "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set), so the "
                 "window can't open. "
                 "Ask from the command line instead:\n\n    kvl ask %s--image %s \"What "
                 "does this picture show?\"\n",
                 qPrintable(model), qPrintable(image));
    return 2;
}

}  // namespace

int main(int argc, char** argv)
{
    QCoreApplication::setApplicationName("kvl-workbench");
    QCoreApplication::setApplicationVersion(KVL_VERSION);
    if (!hasDisplay(argc, argv)) {
        return runWithoutDisplay(argc, argv);
    }
    QApplication application(argc, argv);
    QApplication::setApplicationDisplayName("KVL Workbench");
    QApplication::setDesktopFileName("kvl-workbench");

    QCommandLineParser parser;
    addOptions(parser);
    parser.process(application);
    const QString theme = parser.value("theme");
    if (parser.isSet("theme") && !QStringList{"dark", "light", "contrast"}.contains(theme)) {
        std::fprintf(stderr, "--theme: “%s” is no theme; there are dark, light and contrast.\n",
                     qPrintable(theme));
        return 2;
    }
    try {
        app::Workbench workbench(application,
                                 {absolute(parser.positionalArguments()),
                                  parser.isSet("model")
                                      ? QFileInfo(parser.value("model")).absoluteFilePath()
                                      : QString(),
                                  theme, parser.value("data-dir")});
        workbench.show();
        return QApplication::exec();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
