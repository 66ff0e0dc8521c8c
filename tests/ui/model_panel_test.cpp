#include "support/fake_engine.h"
#include "ui/view/model_chip.h"
#include "ui/view/model_panel.h"

#include <QAbstractButton>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

class ModelPanelTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void folderWithoutAModelSaysWhyAndCantBeLoaded()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        ui::EngineThread engine(test::fakeFactory(std::make_shared<test::FakeModel>()));
        ui::ModelPanel panel(engine, settings);
        panel.show();
        QSignalSpy inspected(&panel, &ui::ModelPanel::inspected);
        panel.setFolder(folder.path());
        QVERIFY(inspected.wait());
        QCOMPARE(inspected[0][0].toBool(), false);
        const auto* message = panel.findChild<QLabel*>("modelMessage");
        QVERIFY(message->isVisible());
        QVERIFY2(message->text().contains("config.json"), qPrintable(message->text()));
        QVERIFY(!panel.findChild<QAbstractButton*>("loadModel")->isEnabled());
    }

    void loadedModelIsNamedAndRemembered()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        const auto model = std::make_shared<test::FakeModel>();
        ui::EngineThread engine(test::fakeFactory(model));
        ui::ModelChip chip(engine);
        QCOMPARE(chip.text(), "No model");
        ui::ModelPanel panel(engine, settings);
        panel.setFolder(folder.path());
        panel.loadChosen();
        QTRY_COMPARE(engine.state(), ui::EngineThread::State::Ready);
        QCOMPARE(chip.text(), "fake-1B");
        QVERIFY(panel.findChild<QLabel*>("modelMessage")
                    ->text()
                    .contains("fake-1B is ready on cpu in fp32"));
        QCOMPARE(QString::fromStdString(settings.model().checkpoint.string()), folder.path());
        QCOMPARE(settings.recentModels(), QStringList{folder.path()});
        panel.findChild<QAbstractButton*>("unloadModel")->click();
        QTRY_COMPARE(chip.text(), "No model");
    }

    void failureIsSaidInThePanelAndOnTheChip()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        ui::EngineThread engine([](const inference::LoadOptions&, const inference::OnProgress&,
                                   std::stop_token) -> std::unique_ptr<inference::Engine> {
            throw inference::Error("model.safetensors ends early.");
        });
        ui::ModelChip chip(engine);
        ui::ModelPanel panel(engine, settings);
        panel.setFolder(folder.path());
        panel.loadChosen();
        QTRY_COMPARE(chip.text(), "Model failed");
        QCOMPARE(chip.toolTip(), "model.safetensors ends early.");
        QCOMPARE(panel.findChild<QLabel*>("modelMessage")->text(), "model.safetensors ends early.");
    }
};

QTEST_MAIN(ModelPanelTest)
#include "model_panel_test.moc"
