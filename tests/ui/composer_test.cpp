#include "ui/view/composer.h"

#include "ui/model/ask.h"
#include "ui/view/chips.h"

#include <QAbstractButton>
#include <QElapsedTimer>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTest>

#include <limits>

namespace {

ui::AttachedFrame slice(int index, const QRect& region = {})
{
    ui::AttachedFrame attached;
    attached.frame.ref = {"/study/ct.dcm", index, {}};
    attached.frame.pixels = QImage(512, 512, QImage::Format_RGB888);
    attached.frame.pixels.fill(Qt::gray);
    attached.region = region;
    attached.title = QStringLiteral("ct.dcm · slice %1").arg(index + 1);
    return attached;
}

}  // namespace

class ComposerTest : public QObject {
    Q_OBJECT

    static QPlainTextEdit* edit(ui::Composer& composer)
    {
        return composer.findChild<QPlainTextEdit*>("composerText");
    }

private Q_SLOTS:
    void enterSendsAndShiftEnterBreaks()
    {
        ui::Composer composer;
        composer.show();
        QSignalSpy asked(&composer, &ui::Composer::askRequested);
        QTest::keyClick(edit(composer), Qt::Key_Return);
        QCOMPARE(asked.size(), 0);  // nothing is written
        QTest::keyClicks(edit(composer), "What");
        QTest::keyClick(edit(composer), Qt::Key_Return, Qt::ShiftModifier);
        QTest::keyClicks(edit(composer), "now");
        QCOMPARE(asked.size(), 0);
        QTest::keyClick(edit(composer), Qt::Key_Return);
        QCOMPARE(asked.size(), 1);
        QCOMPARE(composer.text(), "What\nnow");
    }

    void enterDoesNotSendWhileAnAnswerRuns()
    {
        ui::Composer composer;
        composer.setText("Next?");
        composer.setBusy(true);
        QSignalSpy asked(&composer, &ui::Composer::askRequested),
            stopped(&composer, &ui::Composer::stopRequested);
        QTest::keyClick(edit(composer), Qt::Key_Return);
        QCOMPARE(asked.size() + stopped.size(), 0);
        composer.findChild<QAbstractButton*>("sendButton")->click();
        QCOMPARE(stopped.size(), 1);
    }

    void blockedComposerSaysWhyAndOffersTheCure()
    {
        ui::Composer composer;
        composer.show();
        composer.setText("Ready?");
        composer.setBlocked("No model is loaded.", true);
        QSignalSpy asked(&composer, &ui::Composer::askRequested),
            load(&composer, &ui::Composer::loadModelRequested);
        QTest::keyClick(edit(composer), Qt::Key_Return);
        QCOMPARE(asked.size(), 0);
        QVERIFY(composer.findChild<QLabel*>("blockedReason")->isVisible());
        composer.findChild<QAbstractButton*>("loadModelFromComposer")->click();
        QCOMPARE(load.size(), 1);
    }

    void growsToEightLines()
    {
        ui::Composer composer;
        composer.resize(400, 600);
        composer.show();
        const int line = edit(composer)->fontMetrics().lineSpacing();
        const int one = edit(composer)->height();
        composer.setText("1\n2\n3");
        QCOMPARE(edit(composer)->minimumHeight() - one, 2 * line);
        composer.setText(QStringLiteral("x\n").repeated(30));
        QCOMPARE(edit(composer)->minimumHeight() - one, 7 * line);
    }

    void upBringsTheLastQuestionIntoAnEmptyText()
    {
        ui::Composer composer;
        composer.setLastQuestion("Before?");
        QTest::keyClick(edit(composer), Qt::Key_Up);
        QCOMPARE(composer.text(), "Before?");
        composer.setText("Mine");
        QTest::keyClick(edit(composer), Qt::Key_Up);
        QCOMPARE(composer.text(), "Mine");
    }

    void escapeLeaves()
    {
        ui::Composer composer;
        QSignalSpy left(&composer, &ui::Composer::leaveRequested);
        QTest::keyClick(edit(composer), Qt::Key_Escape);
        QCOMPARE(left.size(), 1);
    }

    void pictureOnTheScreenGoesWithTheQuestionOnce()
    {
        ui::Composer composer;
        composer.setCurrent(slice(3), "ct");
        QCOMPARE(composer.frames().size(), 1);
        composer.setKnown({ui::makeAttachment(slice(3))});
        QCOMPARE(composer.frames().size(), 0);
        composer.setCurrent(slice(3, {10, 10, 50, 50}), "ct");  // a region is another picture
        QCOMPARE(composer.frames().size(), 1);
        composer.setCurrent(slice(4), "ct");
        QCOMPARE(composer.frames().size(), 1);
    }

    void pictureTakenOffStaysOffUntilAnotherDocumentIsShown()
    {
        ui::Composer composer;
        composer.show();
        composer.setCurrent(slice(0), "ct");
        composer.findChild<QAbstractButton*>("removeAttachment")->click();
        QCOMPARE(composer.frames().size(), 0);
        composer.setCurrent(slice(1), "ct");
        QCOMPARE(composer.frames().size(), 0);
        composer.setCurrent(slice(0), "mr");
        QCOMPARE(composer.frames().size(), 1);
    }

    void keptPicturesAreSentBesideTheCurrentOne()
    {
        ui::Composer composer;
        composer.setCurrent(slice(0), "ct");
        composer.keepCurrent();
        composer.keepCurrent();
        QCOMPARE(composer.frames().size(), 1);
        composer.setCurrent(slice(7), "ct");
        QCOMPARE(composer.frames().size(), 2);
        QCOMPARE(composer.frames()[0].frame.ref.index, 0);
        composer.reset();
        QCOMPARE(composer.frames().size(), 1);
    }

    void typingCopiesNoPicture()
    {
        ui::AttachedFrame large = slice(0);
        large.frame.pixels = QImage(12000, 9000, QImage::Format_RGB888);
        if (large.frame.pixels.isNull()) {
            QSKIP("not enough memory for the picture");
        }
        large.frame.pixels.fill(Qt::gray);
        ui::Composer composer;
        composer.setCurrent(large, "a");
        qint64 best = std::numeric_limits<qint64>::max();
        for (int i = 0; i < 5; ++i) {
            QElapsedTimer time;
            time.start();
            composer.setText(QString(i + 1, 'x'));
            best = std::min(best, time.nsecsElapsed());
        }
        qInfo("a word beside a picture of 108 megapixels: %.2f ms", double(best) / 1e6);
        QVERIFY(best < 16'000'000);
        QCOMPARE(ui::makeAttachment(large).thumbnail.size(), QSize(96, 72));
    }

    void gaugeKeepsItsNumbersInANarrowChat()
    {
        ui::Composer composer;
        composer.setModel(8192, 448, 256);
        composer.setCurrent(slice(0), "a");
        composer.resize(316, 160);  // of a chat of 340
        composer.show();
        const auto* gauge = composer.findChild<QWidget*>("contextGauge");
        QTest::qWait(20);
        QVERIFY2(gauge->width() >= gauge->fontMetrics().horizontalAdvance("3,340 of 8,192"),
                 qPrintable(QString::number(gauge->width())));
    }

    void gaugeCountsPicturesAsTheModelDoes()
    {
        ui::Composer composer;
        composer.setModel(40960, 448, 256);
        ui::AskOptions options;
        options.maxTiles = 12;
        composer.setAskOptions(options);
        composer.setCurrent(slice(0), "ct");
        // 512 x 512 is cut 1 x 1 by the reference's rule for pictures that small: 256 tokens and a
        // few words.
        const int small = composer.contextUse().added;
        QVERIFY(small >= 256 && small < 256 + 20);
        ui::AttachedFrame wide = slice(1);
        wide.frame.pixels = QImage(1792, 1344, QImage::Format_RGB888);
        composer.setCurrent(wide, "ct");
        // 4 x 3 and the thumbnail: 13 * 256 (model specification 5.3).
        QVERIFY(composer.contextUse().added >= 3328 && composer.contextUse().added < 3328 + 20);
        QCOMPARE(composer.contextUse().length, 40960);
    }

    void ledgerSaysWhatTheEngineCounted()
    {
        ui::Composer composer;
        composer.show();
        composer.setModel(32768, 448, 256);
        QCOMPARE(composer.ledger(), QString());
        inference::ContextUse use;
        use.system = 64;
        use.history = 512;
        use.pictures = {{512, 512, {1, 1}, 1, 256}, {896, 448, {2, 1}, 3, 1024}};
        use.question = 17;
        use.newTokens = 1024;
        use.contextLength = 32768;
        composer.setCounted(use, 1);
        QCOMPARE(composer.ledger(),
                 "system 64 · history 512 · pictures 1,280 · question 17 · reserved 1,024 of "
                 "32,768");
        QCOMPARE(composer.contextUse().added, 1024 + 17);
        QCOMPARE(composer.contextUse().used, 64 + 512 + 256);
        QVERIFY(!composer.findChild<QWidget*>("refusedReason")->isVisible());
        use = {};
        use.question = 9;
        use.newTokens = 1024;
        use.contextLength = 32768;
        composer.setCounted(use, 0);  // what costs nothing is not said
        QCOMPARE(composer.ledger(), "question 9 · reserved 1,024 of 32,768");
        composer.setModel(0, 0, 0);
        QCOMPARE(composer.ledger(), QString());
    }

    void refusedQuestionSaysWhyAndOffersWhatFits_data()
    {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("tiles");
        QTest::addColumn<bool>("fresh");
        QTest::addColumn<QString>("button");
        QTest::newRow("tokens") << 1200 << 0 << false << "Allow 1,200 new tokens";
        QTest::newRow("tiles") << 0 << 6 << false << "Use 6 tiles";
        QTest::newRow("tile") << 0 << 1 << false << "Use 1 tile";
        QTest::newRow("session") << 0 << 0 << true << "New session";
        QTest::newRow("nothing") << 0 << 0 << false << "";
    }
    void refusedQuestionSaysWhyAndOffersWhatFits()
    {
        QFETCH(int, tokens);
        QFETCH(int, tiles);
        QFETCH(bool, fresh);
        QFETCH(QString, button);
        ui::Composer composer;
        composer.show();
        composer.setModel(2048, 448, 256);
        composer.setText("Describe.");
        inference::ContextUse use;
        use.question = 3000;
        use.contextLength = 2048;
        use.problem = "The question needs 3000 tokens where there is room for 2048.";
        use.newTokensFit = tokens;
        use.tilesFit = tiles;
        use.fitsInNewTalk = fresh;
        composer.setCounted(use, 0);
        const auto* reason = composer.findChild<QLabel*>("refusedReason");
        QVERIFY(reason->isVisible());
        QCOMPARE(reason->text(), QString::fromStdString(use.problem));
        const auto* send = composer.findChild<QAbstractButton*>("sendButton");
        QVERIFY(!send->isEnabled());
        QCOMPARE(send->toolTip(), reason->text());
        QSignalSpy asked(&composer, &ui::Composer::askRequested),
            newTokens(&composer, &ui::Composer::newTokensRequested),
            maxTiles(&composer, &ui::Composer::maxTilesRequested),
            session(&composer, &ui::Composer::newSessionRequested);
        QTest::keyClick(edit(composer), Qt::Key_Return);
        QCOMPARE(asked.size(), 0);
        auto* mend = composer.findChild<QAbstractButton*>("mendRefused");
        QCOMPARE(mend->isVisible(), !button.isEmpty());
        QCOMPARE(mend->text(), button);
        mend->click();
        QCOMPARE(newTokens.size(), tokens > 0 ? 1 : 0);
        QCOMPARE(maxTiles.size(), tiles > 0 ? 1 : 0);
        QCOMPARE(session.size(), fresh ? 1 : 0);
        composer.setText("D");  // what was counted is of another text: nothing is refused
        QVERIFY(send->isEnabled());
    }
};

QTEST_MAIN(ComposerTest)
#include "composer_test.moc"
