#include "support/fake_engine.h"
#include "support/tiny_checkpoint.h"
#include "ui/view/model_chip.h"
#include "ui/view/model_panel.h"
#include "ui/view/status_bar.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QMutex>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

namespace {

constexpr qint64 gigabyte = 1'000'000'000;

/// Of a machine with 12.1 GB free: 29.4 GB in bf16, twice that in fp32, 2 GB once `small` is set.
inference::MemoryPlan fakePlan(const inference::LoadOptions& options, bool small)
{
    if (options.device == "cuda:9") {
        throw inference::Error("There is no device cuda:9.");
    }
    inference::MemoryPlan plan;
    plan.dtype = options.dtype == "fp32" ? "fp32" : "bf16";
    plan.map = inference::mapOf({"cpu"}, {40});
    inference::DevicePlan one;
    one.memory = {"cpu", 12'100'000'000, 24 * gigabyte};
    one.layers = 40;
    one.weights = small ? gigabyte : plan.dtype == "bf16" ? 28 * gigabyte : 56 * gigabyte;
    one.work = gigabyte;
    one.kvPerThousand = 400'000'000 - inference::reserveBytes("cpu");
    plan.contextFits = small ? 9300 : 0;
    plan.problem = small ? "" : "The model does not fit: a smaller model is needed.";
    plan.devices = {one};
    return plan;
}

QString tinyFolder()
{
    return QString::fromStdString(test::tinyCheckpoint().string());
}

}  // namespace

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

    void anAdapterIsChosenAndTakenOff()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        QList<std::string> adapters;
        QMutex mutex;
        const auto model = std::make_shared<test::FakeModel>();
        ui::EngineThread engine([&](const inference::LoadOptions& options,
                                    const inference::OnProgress&, std::stop_token) {
            const QMutexLocker lock(&mutex);
            adapters << options.adapter.string();
            model->info.adapter = options.adapter.string();
            return std::make_unique<test::FakeEngine>(model);
        });
        const auto loads = [&](int count) {
            return QTest::qWaitFor([&] {
                const QMutexLocker lock(&mutex);
                return adapters.size() == count && engine.state() == ui::EngineThread::State::Ready;
            });
        };
        ui::ModelPanel panel(engine, settings);
        auto* field = panel.findChild<QLineEdit*>("modelAdapter");
        QVERIFY(field->text().isEmpty());
        panel.setFolder(folder.path());
        field->setText("/lora/colon");
        panel.loadChosen();
        QVERIFY(loads(1));
        QCOMPARE(adapters[0], std::string("/lora/colon"));
        const auto* message = panel.findChild<QLabel*>("modelMessage");
        QTRY_VERIFY2(message->text().contains("/lora/colon"), qPrintable(message->text()));
        QCOMPARE(settings.model().adapter.string(), std::string("/lora/colon"));
        const ui::ModelPanel again(engine, settings);
        QCOMPARE(again.adapter(), "/lora/colon");
        field->clear();
        panel.loadChosen();
        QVERIFY(loads(2));
        QVERIFY(adapters[1].empty());
        QVERIFY(settings.model().adapter.empty());
    }

    void aDemonstrationModelSaysSoWhereverItIsNamed()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        const auto model = std::make_shared<test::FakeModel>();
        model->info.demonstration = true;
        ui::EngineThread engine(test::fakeFactory(model));
        ui::ModelChip chip(engine);
        ui::StatusBar status(engine);
        ui::ModelPanel panel(engine, settings);
        status.show();
        panel.show();
        const auto* said = status.findChild<QLabel*>("statusDemonstration");
        QVERIFY(!said->isVisible());
        engine.load({});
        QTRY_COMPARE(engine.state(), ui::EngineThread::State::Ready);
        QVERIFY(said->isVisible());
        QCOMPARE(said->text(), "Demonstration model: synthetic images only");
        QVERIFY(chip.toolTip().contains("Demonstration model: synthetic images only"));
        QTRY_VERIFY(panel.findChild<QLabel*>("modelDemonstration")->isVisible());
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

    void whatDoesNotFitIsSaidInRedAndTheButtonSaysWhy()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        ui::EngineThread engine(test::fakeFactory(std::make_shared<test::FakeModel>()));
        ui::ModelPanel panel(engine, settings, nullptr,
                             [](const auto& options) { return fakePlan(options, false); });
        panel.show();
        QSignalSpy planned(&panel, &ui::ModelPanel::planned);
        panel.findChild<QComboBox*>("modelDtype")->setCurrentText("bf16");
        panel.setFolder(tinyFolder());
        QVERIFY(planned.wait());
        const auto* plan = panel.findChild<QLabel*>("memoryPlan");
        QCOMPARE(plan->text(),
                 "Needs 29.4 GB on cpu in bf16; 12.1 GB free: does not fit. The model does not "
                 "fit: a smaller model is needed.");
        QCOMPARE(plan->property("kvlRole"), "error");
        QVERIFY(plan->isVisible());
        QCOMPARE(panel.findChild<QLabel*>("otherMemoryPlans")->text(),
                 "needs 57.4 GB on cpu in fp32; 12.1 GB free: does not fit");
        auto* load = panel.findChild<QAbstractButton*>("loadModel");
        QVERIFY(!load->isEnabled());
        QCOMPARE(load->toolTip(), "The model does not fit: a smaller model is needed.");
    }

    void otherDtypeIsPlannedAnewAndWhatFitsCanBeLoaded()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        ui::EngineThread engine(test::fakeFactory(std::make_shared<test::FakeModel>()));
        ui::ModelPanel panel(engine, settings, nullptr, [](const auto& options) {
            return fakePlan(options, options.dtype == "bf16");
        });
        auto* load = panel.findChild<QAbstractButton*>("loadModel");
        auto* dtype = panel.findChild<QComboBox*>("modelDtype");
        dtype->setCurrentText("fp32");
        panel.setFolder(tinyFolder());
        QTRY_VERIFY(load->toolTip().contains("does not fit"));
        QVERIFY(!load->isEnabled());
        dtype->setCurrentText("bf16");
        QTRY_VERIFY(load->isEnabled());
        QCOMPARE(panel.findChild<QLabel*>("memoryPlan")->text(),
                 "Needs 2.4 GB on cpu in bf16; 12.1 GB free: fits, up to 9,300 tokens");
        QCOMPARE(panel.findChild<QLabel*>("memoryPlan")->property("kvlRole"), "");
    }

    void deviceThatIsNotThereIsSaid()
    {
        QTemporaryDir folder;
        ui::Settings settings(folder.filePath("s.ini"));
        ui::EngineThread engine(test::fakeFactory(std::make_shared<test::FakeModel>()));
        ui::ModelPanel panel(engine, settings, nullptr,
                             [](const auto& options) { return fakePlan(options, true); });
        panel.findChild<QComboBox*>("modelDevice")->setCurrentText("cuda:9");
        panel.setFolder(tinyFolder());
        QTRY_COMPARE(panel.findChild<QLabel*>("memoryPlan")->text(), "There is no device cuda:9.");
        QVERIFY(!panel.findChild<QAbstractButton*>("loadModel")->isEnabled());
        QVERIFY(panel.findChild<QLabel*>("otherMemoryPlans")->text().contains("fits"));
    }

    void planOfARealCheckpointSaysWhatPlanMemorySays()
    {
        inference::LoadOptions options;
        options.checkpoint = test::tinyCheckpoint();
        options.device = "cpu";
        options.dtype = "fp32";
        const inference::MemoryPlan plan = inference::planMemory(options);
        QVERIFY(plan.fits());
        QVERIFY(ui::neededBytes(plan.devices[0]) <= plan.devices[0].memory.free);
        const ui::MemoryTable table =
            ui::planTable(ui::memoryPlanner(), options, {plan.devices[0].memory});
        QCOMPARE(table.asked.weights(), plan.weights());
        QCOMPARE(table.others.size(), 1);
        QCOMPARE(table.others[0].dtype, "bf16");
        // With one byte less than it needs it does not fit, and with that byte it does.
        options.memoryLimit = ui::neededBytes(plan.devices[0]);
        QVERIFY(inference::planMemory(options).fits());
        --options.memoryLimit;
        QVERIFY(!inference::planMemory(options).fits());
    }
};

QTEST_MAIN(ModelPanelTest)
#include "model_panel_test.moc"
