#include "ui/view/verify_dialog.h"

#include "support/fake_engine.h"

#include <QClipboard>
#include <QElapsedTimer>
#include <QGuiApplication>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeWidget>

namespace {

struct Desk {
    explicit Desk(const test::VerifyScript& script)
        : engine(test::fakeFactory(model), test::fakeVerifier(script))
    {
        engine.load({});
        if (!QTest::qWaitFor([&] { return engine.state() == ui::EngineThread::State::Ready; })) {
            qFatal("the fake engine did not load");
        }
        dialog = std::make_unique<ui::VerifyDialog>(engine, settings);
        dialog->show();
    }

    QPushButton* button(const char* name) const { return dialog->findChild<QPushButton*>(name); }
    QString result() const { return dialog->findChild<QLabel*>("verifyResult")->text(); }
    QTreeWidget* checks() const { return dialog->findChild<QTreeWidget*>("verifyChecks"); }

    QTemporaryDir folder;
    ui::Settings settings{folder.filePath("s.ini")};
    std::shared_ptr<test::FakeModel> model = std::make_shared<test::FakeModel>();
    ui::EngineThread engine;
    std::unique_ptr<ui::VerifyDialog> dialog;
};

}  // namespace

class VerifyDialogTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void checksComeInAndTheResultCanBeCopied()
    {
        Desk desk({});
        QVERIFY(!desk.button("verifyCopy")->isEnabled());
        QVERIFY(!desk.button("verifyStop")->isEnabled());
        QSignalSpy verified(&desk.engine, &ui::EngineThread::verified);
        desk.button("verifyStart")->click();
        QVERIFY(verified.wait());
        QCOMPARE(desk.checks()->topLevelItemCount(), 3);
        QCOMPARE(desk.checks()->topLevelItem(2)->text(0), "tokenizer: text 3");
        QCOMPARE(desk.checks()->topLevelItem(2)->text(1), "ok");
        QCOMPARE(desk.checks()->topLevelItem(2)->text(3), "12 ids");
        const QString line = "Engine verified: 3 of 3 checks passed; cpu, fp32; KVL Workbench 9; "
                             "model 0123456789abcdef";
        QCOMPARE(desk.result(), line);
        desk.button("verifyCopy")->click();
        QCOMPARE(QGuiApplication::clipboard()->text(), line);
        QVERIFY(desk.button("verifyStart")->isEnabled());
        desk.button("verifyStart")->click();
        QVERIFY(verified.wait());
        QCOMPARE(desk.checks()->topLevelItemCount(), 3);  // not six
    }

    void failedCheckIsSaidInTheResult()
    {
        Desk desk({.failed = true});
        desk.button("verifyStart")->click();
        QTRY_VERIFY(desk.result().startsWith("Engine not verified: 2 of 3 checks passed"));
        QCOMPARE(desk.checks()->topLevelItem(0)->text(1), "failed");
        QCOMPARE(desk.dialog->findChild<QLabel*>("verifyResult")->property("kvlRole"), "error");
    }

    void stopEndsItAndWhatWasRunStays()
    {
        Desk desk({.untilStopped = true});
        desk.button("verifyStart")->click();
        QTRY_COMPARE(desk.checks()->topLevelItemCount(), 3);
        QVERIFY(desk.engine.isVerifying());
        QVERIFY(!desk.button("verifyStart")->isEnabled());
        QElapsedTimer time;
        time.start();
        desk.button("verifyStop")->click();
        QTRY_VERIFY(!desk.engine.isVerifying());
        QVERIFY2(time.elapsed() <= 200, qPrintable(QString::number(time.elapsed())));
        QVERIFY(desk.result().startsWith("Stopped"));
        QCOMPARE(desk.checks()->topLevelItemCount(), 3);
        QVERIFY(!desk.button("verifyCopy")->isEnabled());  // no result
        QVERIFY(desk.button("verifyStart")->isEnabled());
    }

    void closingStopsItByKeyAndByButton_data()
    {
        QTest::addColumn<bool>("byKey");
        QTest::newRow("Esc") << true;
        QTest::newRow("Close") << false;
    }
    void closingStopsItByKeyAndByButton()
    {
        QFETCH(bool, byKey);
        Desk desk({.untilStopped = true});
        desk.button("verifyStart")->click();
        QTRY_COMPARE(desk.checks()->topLevelItemCount(), 3);
        if (byKey) {
            QTest::keyClick(desk.dialog.get(), Qt::Key_Escape);
        } else {
            desk.button("verifyClose")->click();
        }
        QTRY_VERIFY(!desk.engine.isVerifying());
        QVERIFY(!desk.dialog->isVisible());
    }

    void lastResultIsShownUntilItIsRunAgain()
    {
        Desk desk({});
        inference::VerifyReport report;
        report.model = desk.model->info;
        report.program = "KVL Workbench 9";
        desk.settings.addVerification(ui::makeVerification(report));
        const ui::VerifyDialog again(desk.engine, desk.settings);
        const QString shown = again.findChild<QLabel*>("verifyResult")->text();
        QVERIFY2(shown.startsWith("Last time, "), qPrintable(shown));
        QVERIFY(shown.contains("0 of 0 checks passed"));
        QVERIFY(again.findChild<QPushButton*>("verifyCopy")->isEnabled());
    }

    void withoutAModelThereIsNothingToVerify()
    {
        Desk desk({});
        desk.engine.unload();
        QVERIFY(!desk.button("verifyStart")->isEnabled());
        QVERIFY(desk.dialog->findChild<QLabel*>("verifyModel")->text().contains("No model"));
    }
};

QTEST_MAIN(VerifyDialogTest)
#include "verify_dialog_test.moc"
