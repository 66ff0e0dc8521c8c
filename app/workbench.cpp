#include "app/workbench.h"

#include "app/bundled.h"
#include "ui/model/conversation.h"
#include "ui/model/error.h"
#include "ui/model/session_store.h"
#include "ui/model/settings.h"
#include "ui/view/main_window.h"
#include "ui/view/theme.h"

#include <QApplication>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QMutex>
#include <QScreen>
#include <QStandardPaths>
#include <QSysInfo>
#include <QTimer>

#include <cstdio>

namespace app {

namespace {

constexpr qint64 kLongestLog = 1'000'000;  // bytes; the log before is kept once

QFile* g_log = nullptr;
QMutex g_logMutex;

void log(QtMsgType type, const QMessageLogContext& context, const QString& text)
{
    const QString line = qFormatLogMessage(type, context, text);
    const QMutexLocker lock(&g_logMutex);
    if (type != QtDebugMsg && type != QtInfoMsg) {
        std::fprintf(stderr, "%s\n", qPrintable(line));
    }
    if (g_log) {
        g_log->write(QDateTime::currentDateTime().toString(Qt::ISODateWithMs).toUtf8() + ' ' +
                     line.toUtf8() + '\n');
        g_log->flush();
    }
}

QString versions()
{
    return QStringLiteral("Version %1\nlibtorch %2, Qt %3\n%4")
        .arg(QCoreApplication::applicationVersion(), QStringLiteral(KVL_LIBTORCH_VERSION),
             QString::fromLatin1(qVersion()), QSysInfo::prettyProductName());
}

}  // namespace

struct Workbench::Private {
    QApplication& application;
    const WorkbenchOptions options;
    const Bundled bundled = findBundled();
    QString dataFolder;
    QFile log;
    std::unique_ptr<ui::Settings> settings;
    std::unique_ptr<ui::SessionWriter> writer;
    std::unique_ptr<ui::EngineThread> engine;
    std::unique_ptr<ui::Conversation> conversation;
    std::unique_ptr<ui::MainWindow> window;

    Private(QApplication& a, const WorkbenchOptions& o)
        : application(a)
        , options(o)
    {
    }

    void openLog()
    {
        log.setFileName(QDir(dataFolder).filePath("workbench.log"));
        if (log.size() > kLongestLog) {
            QFile::remove(log.fileName() + ".1");
            QFile::rename(log.fileName(), log.fileName() + ".1");
        }
        if (log.open(QIODevice::Append)) {
            g_log = &log;
        }
        qInstallMessageHandler(app::log);
    }

    QString bundledModel() const { return QString::fromStdString(bundled.model.string()); }

    /// None where it can't be read: one can work without it.
    ui::DemoStudy demo() const
    {
        try {
            return ui::readDemoStudy(QString::fromStdString(bundled.demo.string()));
        } catch (const ui::Error& error) {
            qWarning("%s", qPrintable(error.sentence()));
            return {};
        }
    }
};

Workbench::Workbench(QApplication& application, const WorkbenchOptions& options)
    : d(std::make_unique<Private>(application, options))
{
    d->dataFolder = options.dataFolder.isEmpty()
        ? QStandardPaths::writableLocation(QStandardPaths::AppDataLocation)
        : QDir(options.dataFolder).absolutePath();
    // Where it can't be made, the session store says so in the window; one can work without it.
    QDir().mkpath(d->dataFolder);
    d->openLog();
    d->settings = options.dataFolder.isEmpty()
        ? std::make_unique<ui::Settings>()
        : std::make_unique<ui::Settings>(QDir(d->dataFolder).filePath("settings.ini"));
    ui::applyTheme(application,
                   ui::theme(options.theme.isEmpty() ? d->settings->theme() : options.theme));

    d->writer = std::make_unique<ui::SessionWriter>(QDir(d->dataFolder).filePath("sessions.db"));
    d->engine = std::make_unique<ui::EngineThread>(&inference::loadEngine);
    d->conversation = std::make_unique<ui::Conversation>(*d->engine, *d->writer);
    d->window = std::make_unique<ui::MainWindow>(
        ui::Services{*d->engine, *d->writer, *d->conversation, *d->settings, d->dataFolder,
                     d->log.fileName(), versions(), d->bundledModel(), d->demo()});
}

Workbench::~Workbench()
{
    d->window.reset();
    d->conversation.reset();
    d->engine.reset();
    d->writer.reset();
    {
        const QMutexLocker lock(&g_logMutex);
        g_log = nullptr;
    }
    qInstallMessageHandler(nullptr);
}

void Workbench::show()
{
    const QSize room = d->window->screen()->availableSize();
    if (d->window->width() >= room.width() || d->window->height() >= room.height()) {
        d->window->resize(d->window->size().boundedTo(room));
        d->window->showMaximized();  // a small screen is all of it, frame included
    } else {
        d->window->show();
    }
    // After the first paint, so that the window stands before anything is read.
    QTimer::singleShot(0, d->window.get(), [this] {
        d->window->open(d->options.files);
        const inference::LoadOptions remembered = d->settings->model();
        if (!d->options.model.isEmpty()) {
            const inference::LoadOptions model = d->settings->modelIn(d->options.model);
            d->settings->setModel(model);
            d->settings->addRecentModel(d->options.model);
            d->window->loadModel(model);
        } else if (!remembered.checkpoint.empty()) {
            if (d->settings->loadModelAtStart() &&
                QDir(QString::fromStdString(remembered.checkpoint.string())).exists()) {
                d->window->loadModel(remembered);
            }
        } else if (!d->bundled.model.empty() && d->settings->loadModelAtStart()) {
            // not remembered: the user's own model, once there is one, comes first
            d->window->loadModel(d->settings->modelIn(d->bundledModel()));
            if (d->options.files.isEmpty() && d->settings->recentFiles().isEmpty()) {
                d->window->openDemo();
            }
        }
    });
}

}  // namespace app
