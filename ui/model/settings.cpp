#include "ui/model/settings.h"

#include <QDir>
#include <QFileInfo>

#include <algorithm>
#include <array>
#include <cmath>

namespace ui {
namespace {

using Preset = inference::SystemPrompt::Preset;

constexpr int mostRecentFiles = 12;
constexpr int mostRecentModels = 8;
constexpr int mostVerifications = 16;
constexpr std::array presetNames{
    std::pair{Preset::Default, "default"},
    std::pair{Preset::None, "none"},
    std::pair{Preset::Thinking, "thinking"},
    std::pair{Preset::Own, "own"},
};

Preset presetFrom(const QString& name)
{
    for (const auto& [preset, known] : presetNames) {
        if (name == QLatin1String(known)) {
            return preset;
        }
    }
    return Preset::Default;
}

QString nameOf(Preset preset)
{
    for (const auto& [known, name] : presetNames) {
        if (preset == known) {
            return QString::fromLatin1(name);
        }
    }
    return {};
}

int wholeNumber(const QVariant& value, int otherwise, int least, int most)
{
    bool ok = false;
    const int number = value.toInt(&ok);
    return ok ? std::clamp(number, least, most) : otherwise;
}

double number(const QVariant& value, double otherwise, double least, double most)
{
    bool ok = false;
    const double found = value.toDouble(&ok);
    return ok && std::isfinite(found) ? std::clamp(found, least, most) : otherwise;
}

}  // namespace

Settings::Settings()
    : m_settings(QSettings::IniFormat, QSettings::UserScope, QStringLiteral("kvl-workbench"),
                 QStringLiteral("workbench"))
{
}

Settings::Settings(const QString& file)
    : m_settings(file, QSettings::IniFormat)
{
}

inference::LoadOptions Settings::model() const
{
    inference::LoadOptions options;
    options.checkpoint = m_settings.value(QStringLiteral("model/folder")).toString().toStdString();
    options.adapter = m_settings.value(QStringLiteral("model/adapter")).toString().toStdString();
    options.device = m_settings.value(QStringLiteral("model/device"), QStringLiteral("auto"))
                         .toString()
                         .toStdString();
    options.dtype = m_settings.value(QStringLiteral("model/dtype"), QStringLiteral("auto"))
                        .toString()
                        .toStdString();
    return options;
}

void Settings::setModel(const inference::LoadOptions& options)
{
    m_settings.setValue(QStringLiteral("model/folder"),
                        QString::fromStdString(options.checkpoint.string()));
    m_settings.setValue(QStringLiteral("model/adapter"),
                        QString::fromStdString(options.adapter.string()));
    m_settings.setValue(QStringLiteral("model/device"), QString::fromStdString(options.device));
    m_settings.setValue(QStringLiteral("model/dtype"), QString::fromStdString(options.dtype));
}

inference::LoadOptions Settings::modelIn(const QString& folder) const
{
    inference::LoadOptions options = model();
    if (options.checkpoint != folder.toStdString()) {
        options.adapter.clear();
    }
    options.checkpoint = folder.toStdString();
    return options;
}

QStringList Settings::recentModels() const
{
    return m_settings.value(QStringLiteral("model/recent")).toStringList().mid(0, mostRecentModels);
}

void Settings::addRecentModel(const QString& folder)
{
    const QString absolute = QDir::cleanPath(QFileInfo(folder).absoluteFilePath());
    QStringList folders = recentModels();
    folders.removeAll(absolute);
    folders.prepend(absolute);
    m_settings.setValue(QStringLiteral("model/recent"), QVariant(folders.mid(0, mostRecentModels)));
}

bool Settings::loadModelAtStart() const
{
    return m_settings.value(QStringLiteral("model/loadAtStart"), true).toBool();
}

void Settings::setLoadModelAtStart(bool on)
{
    m_settings.setValue(QStringLiteral("model/loadAtStart"), on);
}

QList<Verification> Settings::verifications() const
{
    QList<Verification> all;
    const QString here = thisBuild();
    const QStringList rows = m_settings.value(QStringLiteral("engine/verified")).toStringList();
    for (const QString& row : rows) {
        const QStringList parts = row.split(QLatin1Char('\t'));
        if (parts.size() == 8 && parts[4] == here && all.size() < mostVerifications) {
            all << Verification{parts[0],
                                parts[1],
                                parts[2],
                                parts[3],
                                parts[4],
                                parts[5],
                                QDateTime::fromString(parts[6], Qt::ISODate),
                                parts[7] == QLatin1String("passed")};
        }
    }
    return all;
}

void Settings::addVerification(const Verification& verification)
{
    QList<Verification> all = verifications();
    all.removeIf([&](const Verification& one) {
        return one.modelHash == verification.modelHash && one.device == verification.device &&
            one.dtype == verification.dtype;
    });
    all.prepend(verification);
    QStringList rows;
    for (const Verification& one : std::as_const(all)) {
        const QStringList parts{one.modelHash,
                                one.device,
                                one.dtype,
                                one.program,
                                one.build,
                                one.line,
                                one.when.toString(Qt::ISODate),
                                one.passed ? QStringLiteral("passed") : QStringLiteral("failed")};
        rows << parts.join(QLatin1Char('\t'));
    }
    m_settings.setValue(QStringLiteral("engine/verified"), rows.mid(0, mostVerifications));
}

AskOptions Settings::askOptions() const
{
    const AskOptions fresh;
    AskOptions options;
    options.system.preset = presetFrom(m_settings.value(QStringLiteral("ask/system")).toString());
    options.system.text =
        m_settings.value(QStringLiteral("ask/systemText")).toString().toStdString();
    options.maxTiles =
        wholeNumber(m_settings.value(QStringLiteral("ask/maxTiles")), fresh.maxTiles, 1, 40);
    options.maxNewTokens = wholeNumber(m_settings.value(QStringLiteral("ask/maxNewTokens")),
                                       fresh.maxNewTokens, 1, 1'000'000);
    inference::SamplingOptions& sampling = options.sampling;
    sampling.temperature = number(m_settings.value(QStringLiteral("ask/temperature")),
                                  fresh.sampling.temperature, 0, 2);
    sampling.topP = number(m_settings.value(QStringLiteral("ask/topP")), fresh.sampling.topP, 0, 1);
    sampling.topK = wholeNumber(m_settings.value(QStringLiteral("ask/topK")), fresh.sampling.topK,
                                0, 1'000'000);
    sampling.seed = m_settings.value(QStringLiteral("ask/seed")).toULongLong();
    return options;
}

void Settings::setAskOptions(const AskOptions& options)
{
    m_settings.setValue(QStringLiteral("ask/system"), nameOf(options.system.preset));
    m_settings.setValue(QStringLiteral("ask/systemText"),
                        QString::fromStdString(options.system.text));
    m_settings.setValue(QStringLiteral("ask/maxTiles"), options.maxTiles);
    m_settings.setValue(QStringLiteral("ask/maxNewTokens"), options.maxNewTokens);
    m_settings.setValue(QStringLiteral("ask/temperature"), options.sampling.temperature);
    m_settings.setValue(QStringLiteral("ask/topP"), options.sampling.topP);
    m_settings.setValue(QStringLiteral("ask/topK"), options.sampling.topK);
    m_settings.setValue(QStringLiteral("ask/seed"), quint64(options.sampling.seed));
}

QString Settings::theme() const
{
    return m_settings.value(QStringLiteral("window/theme"), QStringLiteral("dark")).toString();
}

void Settings::setTheme(const QString& name)
{
    m_settings.setValue(QStringLiteral("window/theme"), name);
}

QStringList Settings::recentFiles() const
{
    return m_settings.value(QStringLiteral("files/recent")).toStringList().mid(0, mostRecentFiles);
}

void Settings::addRecentFile(const QString& path)
{
    const QString absolute = QDir::cleanPath(QFileInfo(path).absoluteFilePath());
    QStringList files = recentFiles();
    files.removeAll(absolute);
    files.prepend(absolute);
    m_settings.setValue(QStringLiteral("files/recent"), QVariant(files.mid(0, mostRecentFiles)));
}

void Settings::clearRecentFiles()
{
    m_settings.remove(QStringLiteral("files/recent"));
}

QByteArray Settings::windowGeometry() const
{
    return m_settings.value(QStringLiteral("window/geometry")).toByteArray();
}

QByteArray Settings::windowState() const
{
    return m_settings.value(QStringLiteral("window/state")).toByteArray();
}

void Settings::setWindow(const QByteArray& geometry, const QByteArray& state)
{
    m_settings.setValue(QStringLiteral("window/geometry"), geometry);
    m_settings.setValue(QStringLiteral("window/state"), state);
}

bool Settings::overlays() const
{
    return m_settings.value(QStringLiteral("view/overlays"), true).toBool();
}

void Settings::setOverlays(bool on)
{
    m_settings.setValue(QStringLiteral("view/overlays"), on);
}

bool Settings::tileGrid() const
{
    return m_settings.value(QStringLiteral("view/tileGrid"), false).toBool();
}

void Settings::setTileGrid(bool on)
{
    m_settings.setValue(QStringLiteral("view/tileGrid"), on);
}

bool Settings::tileStrip() const
{
    return m_settings.value(QStringLiteral("view/tileStrip"), true).toBool();
}

void Settings::setTileStrip(bool on)
{
    m_settings.setValue(QStringLiteral("view/tileStrip"), on);
}

QString Settings::folder(const QString& dialog) const
{
    const QString folder = m_settings.value(QStringLiteral("folders/") + dialog).toString();
    return QFileInfo(folder).isDir() ? folder : QDir::homePath();
}

void Settings::setFolder(const QString& dialog, const QString& folder)
{
    m_settings.setValue(QStringLiteral("folders/") + dialog, folder);
}

bool Settings::sync()
{
    m_settings.sync();
    return m_settings.status() == QSettings::NoError;
}

}  // namespace ui
