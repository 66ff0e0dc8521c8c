#include "ui/model/settings.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using Preset = inference::SystemPrompt::Preset;

class SettingsTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    QString m_file;

private Q_SLOTS:
    void init()
    {
        m_file = m_folder.filePath(QString::fromLatin1(QTest::currentTestFunction()) +
                                   QStringLiteral(".ini"));
    }

    void aFreshStartHasTheDefaults()
    {
        const ui::Settings settings(m_file);
        QVERIFY(settings.model().checkpoint.empty());
        QCOMPARE(settings.model().device, std::string("auto"));
        QCOMPARE(settings.model().dtype, std::string("auto"));
        QCOMPARE(settings.theme(), QStringLiteral("dark"));
        QCOMPARE(settings.askOptions().maxTiles, 12);
        QCOMPARE(settings.askOptions().maxNewTokens, 1024);
        QCOMPARE(settings.askOptions().sampling.topK, 50);
        QCOMPARE(settings.askOptions().sampling.topP, 1.0);
        QVERIFY(settings.askOptions().system.preset == Preset::Default);
        QVERIFY(settings.recentFiles().isEmpty());
        QVERIFY(settings.overlays());
        QVERIFY(!settings.tileGrid());
        QCOMPARE(settings.folder(QStringLiteral("open")), QDir::homePath());
    }

    void anAdapterStaysWithItsModel()
    {
        ui::Settings settings(m_file);
        settings.setModel({.checkpoint = "/a", .device = "cpu", .adapter = "/lora"});
        QCOMPARE(settings.modelIn("/a").adapter.string(), std::string("/lora"));
        QVERIFY(settings.modelIn("/b").adapter.empty());
        QCOMPARE(settings.modelIn("/b").checkpoint.string(), std::string("/b"));
        QCOMPARE(settings.modelIn("/b").device, std::string("cpu"));
    }

    void everythingSurvivesARestart()
    {
        {
            ui::Settings settings(m_file);
            settings.setModel({.checkpoint = "/models/größe, 100% [x]",
                               .device = "cuda:1",
                               .dtype = "bf16",
                               .adapter = "/adapters/α"});
            ui::AskOptions options;
            options.system = {Preset::Own, "你是\n\"quoted\"; a=b"};
            options.sampling = {
                .temperature = 0.6, .topK = 20, .topP = 0.95, .seed = 0xffff'ffff'ffff'fff1ULL};
            options.maxTiles = 6;
            options.maxNewTokens = 16'384;
            settings.setAskOptions(options);
            settings.setTheme(QStringLiteral("light"));
            settings.setWindow(QByteArray("\0\1\xff", 3), "state");
            settings.setOverlays(false);
            settings.setTileGrid(true);
            settings.addRecentFile(QStringLiteral("/a, b.png"));
            settings.setFolder(QStringLiteral("report"), m_folder.path());
            QVERIFY(settings.sync());
        }
        const ui::Settings settings(m_file);
        QCOMPARE(settings.model().checkpoint.string(), std::string("/models/größe, 100% [x]"));
        QCOMPARE(settings.model().device, std::string("cuda:1"));
        QCOMPARE(settings.model().dtype, std::string("bf16"));
        const ui::AskOptions options = settings.askOptions();
        QVERIFY(options.system.preset == Preset::Own);
        QCOMPARE(options.system.text, std::string("你是\n\"quoted\"; a=b"));
        QCOMPARE(options.sampling.temperature, 0.6);
        QCOMPARE(options.sampling.topP, 0.95);
        QCOMPARE(options.sampling.topK, 20);
        QCOMPARE(options.sampling.seed, 0xffff'ffff'ffff'fff1ULL);
        QCOMPARE(options.maxTiles, 6);
        QCOMPARE(options.maxNewTokens, 16'384);
        QCOMPARE(settings.theme(), QStringLiteral("light"));
        QCOMPARE(settings.windowGeometry(), QByteArray("\0\1\xff", 3));
        QCOMPARE(settings.windowState(), QByteArray("state"));
        QVERIFY(!settings.overlays());
        QVERIFY(settings.tileGrid());
        QCOMPARE(settings.recentFiles(), QStringList{QStringLiteral("/a, b.png")});
        QCOMPARE(settings.folder(QStringLiteral("report")), m_folder.path());
    }

    void recentFilesAreTheLatestTwelveEachOnce()
    {
        ui::Settings settings(m_file);
        for (int i = 0; i < 20; ++i) {
            settings.addRecentFile(QStringLiteral("/data/%1.png").arg(i));
        }
        settings.addRecentFile(QStringLiteral("/data/sub/../15.png"));
        const QStringList files = settings.recentFiles();
        QCOMPARE(files.size(), 12);
        QCOMPARE(files[0], QStringLiteral("/data/15.png"));
        QCOMPARE(files[1], QStringLiteral("/data/19.png"));
        QCOMPARE(files.count(QStringLiteral("/data/15.png")), 1);
        settings.clearRecentFiles();
        QVERIFY(settings.recentFiles().isEmpty());
    }

    void aBrokenFileGivesValuesInRange()
    {
        QFile file(m_file);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("[ask]\nsystem=loud\nmaxTiles=-3\nmaxNewTokens=many\ntemperature=nan\ntopP="
                   "7\ntopK=-1\n");
        file.close();
        const ui::AskOptions options = ui::Settings(m_file).askOptions();
        QVERIFY(options.system.preset == Preset::Default);
        QCOMPARE(options.maxTiles, 1);
        QCOMPARE(options.maxNewTokens, 1024);
        QCOMPARE(options.sampling.temperature, 0.0);
        QCOMPARE(options.sampling.topP, 1.0);
        QCOMPARE(options.sampling.topK, 0);
    }

    void aFileThatCantBeWrittenIsSaid()
    {
        QFile inTheWay(m_folder.filePath(QStringLiteral("file")));
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        ui::Settings settings(inTheWay.fileName() + QStringLiteral("/settings.ini"));
        settings.setTheme(QStringLiteral("light"));
        QVERIFY(!settings.sync());
    }

    void verificationsAreKeptOncePerModelDeviceAndDtype()
    {
        const QTemporaryDir folder;
        const QString file = folder.filePath("s.ini");
        ui::Verification one;
        one.modelHash = "abc";
        one.device = "cuda:0,cpu";
        one.dtype = "bf16";
        one.program = "KVL Workbench 1";
        one.build = ui::thisBuild();
        one.line = "Engine verified: 3 of 3; a, b";
        one.when = QDateTime::fromString("2026-11-28T18:00:00", Qt::ISODate);
        one.passed = true;
        {
            ui::Settings settings(file);
            settings.addVerification(one);
            ui::Verification again = one;
            again.passed = false;
            again.line = "Engine not verified: 2 of 3";
            settings.addVerification(again);
            ui::Verification other = one;
            other.dtype = "fp32";
            settings.addVerification(other);
            QVERIFY(settings.sync());
            QCOMPARE(settings.verifications(), (QList<ui::Verification>{other, again}));
        }
        ui::Settings settings(file);
        QCOMPARE(settings.verifications().size(), 2);
        QCOMPARE(settings.verifications()[1].line, "Engine not verified: 2 of 3");
        ui::Verification elsewhere = one;  // by another build, or on another machine
        elsewhere.build = "0";
        elsewhere.device = "cpu";
        settings.addVerification(elsewhere);
        QCOMPARE(settings.verifications().size(), 2);

        ui::Provenance answer;
        answer.modelHash = "abc";
        answer.device = "cuda:0,cpu";
        answer.dtype = "bf16";
        answer.program = "KVL Workbench 1";
        QCOMPARE(ui::verificationLine({one}, answer),
                 "Engine verified: 3 of 3; a, b (on 2026-11-28)");
        answer.dtype = "fp32";
        QCOMPARE(ui::verificationLine({one}, answer), QString());
        answer.dtype = "bf16";
        answer.program = "KVL Workbench 0";
        QCOMPARE(ui::verificationLine({one}, answer), QString());
    }
};

QTEST_GUILESS_MAIN(SettingsTest)
#include "settings_test.moc"
