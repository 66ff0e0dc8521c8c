#include "support/fake_engine.h"
#include "ui/model/ask.h"
#include "ui/view/banner.h"
#include "ui/view/chat_panel.h"
#include "ui/view/composer.h"
#include "ui/view/library_panel.h"
#include "ui/view/main_window.h"
#include "ui/view/message_view.h"
#include "ui/view/theme.h"
#include "ui/view/tile_strip.h"
#include "ui/view/viewport.h"

#include <QAbstractButton>
#include <QAbstractScrollArea>
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

class MainWindowTest : public QObject {
    Q_OBJECT

    struct Desk {
        QTemporaryDir folder;
        std::shared_ptr<test::FakeModel> model = std::make_shared<test::FakeModel>();
        ui::Settings settings{folder.filePath("s.ini")};
        ui::SessionWriter writer{folder.filePath("s.db")};
        ui::EngineThread engine{test::fakeFactory(model),
                                test::fakeVerifier({.program = ui::programName().toStdString()})};
        ui::Conversation conversation{engine, writer};
        ui::DemoStudy demo;
        std::unique_ptr<ui::MainWindow> window = make();

        std::unique_ptr<ui::MainWindow> make()
        {
            auto made = std::make_unique<ui::MainWindow>(ui::Services{engine,
                                                                      writer,
                                                                      conversation,
                                                                      settings,
                                                                      folder.path(),
                                                                      folder.filePath("log"),
                                                                      "Version 0",
                                                                      {},
                                                                      demo});
            made->resize(1366, 768);
            made->show();
            made->activateWindow();  // shortcuts work in the active window only
            if (!QTest::qWaitForWindowActive(made.get())) {
                qFatal("the window does not become active");
            }
            return made;
        }
        QString picture(const QString& name, const QSize& size = {96, 64}) const
        {
            QImage image(size, QImage::Format_RGB888);
            image.fill(Qt::darkCyan);
            const QString file = folder.filePath(name);
            if (!image.save(file)) {
                qFatal("%s can't be written", qPrintable(file));
            }
            return file;
        }
        bool opened(int count) const
        {
            return QTest::qWaitFor([&] { return window->library()->documents().size() == count; });
        }
        void load()
        {
            engine.load({});
            if (!QTest::qWaitFor(
                    [&] { return engine.state() == ui::EngineThread::State::Ready; })) {
                qFatal("the fake engine did not load");
            }
        }
    };

private Q_SLOTS:
    void initTestCase() { ui::applyTheme(*qApp, ui::theme("dark")); }

    void firstOfTheFilesIsShownWithItsTiles()
    {
        Desk desk;
        desk.window->open({desk.picture("a.png"), desk.picture("b.png")});
        QVERIFY(desk.opened(2));
        QTRY_COMPARE(desk.window->viewport()->frame().pixels.size(), QSize(96, 64));
        QCOMPARE(desk.window->library()->current()->title(), "a.png");
        QTRY_VERIFY(!desk.window->tileStrip()->tiles().empty());
        QTRY_COMPARE(desk.window->chat()->composer()->frames().size(), 1);
        QVERIFY(desk.settings.recentFiles().first().endsWith("b.png"));
    }

    void theDemoStudyOpensWithItsQuestions()
    {
        Desk desk;
        QFile json(desk.folder.filePath("demo.json"));
        QVERIFY(json.open(QIODevice::WriteOnly));
        json.write(R"({"open": ["a.png", "b.png"], "questions": [
            {"file": "a.png", "frame": 0, "question": "How many?"},
            {"file": "a.png", "frame": 0, "question": "Which bar?", "region": [8, 4, 40, 30]}]})");
        json.close();
        desk.picture("a.png");
        desk.picture("b.png");
        desk.demo = ui::readDemoStudy(desk.folder.path());
        desk.window = desk.make();
        const auto suggested = [&] {
            QList<QPushButton*> all;
            for (QPushButton* button : desk.window->chat()->findChildren<QPushButton*>()) {
                if (button->property("suggestion").toBool() && !button->isHidden()) {
                    all << button;
                }
            }
            return all;
        };
        QCOMPARE(suggested().size(), 3);
        desk.window->openDemo();
        QVERIFY(desk.opened(2));
        QTRY_COMPARE(suggested().size(), 2);
        QCOMPARE(suggested()[1]->text(), "Which bar?");
        suggested()[1]->click();
        QTRY_COMPARE(desk.window->viewport()->region(), QRect(8, 4, 40, 30));
        QCOMPARE(desk.window->chat()->composer()->text(), "Which bar?");
        // it is not the user's own
        QVERIFY(desk.settings.recentFiles().isEmpty());
        desk.window->library()->setCurrent(desk.window->library()->documents()[1]);
        QTRY_COMPARE(suggested().size(), 3);
    }

    void aDemonstrationModelGetsNoMoreTilesThanItWasTrainedWith()
    {
        Desk desk;
        QCOMPARE(desk.conversation.options().maxTiles, 12);
        desk.model->info.demonstration = true;
        desk.model->info.maxTiles = 4;
        desk.load();
        QTRY_COMPARE(desk.conversation.options().maxTiles, 4);
        QCOMPARE(desk.settings.askOptions().maxTiles, 12);  // for other models
        desk.engine.unload();
        QTRY_COMPARE(desk.engine.state(), ui::EngineThread::State::Empty);
        desk.model->info.demonstration = false;
        desk.load();
        QTRY_COMPARE(desk.conversation.options().maxTiles, 12);
    }

    void whatDoesNotOpenIsSaidInABanner()
    {
        Desk desk;
        const QString file = desk.folder.filePath("noise.xyz");
        QFile out(file);
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write("not a picture at all");
        out.close();
        desk.window->open({file});
        QTRY_COMPARE(desk.window->banners()->sentences().size(), 1);
        QVERIFY2(desk.window->banners()->sentences().first().contains("noise.xyz"),
                 qPrintable(desk.window->banners()->sentences().first()));
        QVERIFY(!QApplication::activeModalWidget());
    }

    void checkpointFolderIsOfferedToBeLoaded()
    {
        Desk desk;
        QDir(desk.folder.path()).mkdir("model");
        QFile config(desk.folder.filePath("model/config.json"));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write(R"({"architectures": ["InternVLChatModel"]})");
        config.close();
        desk.window->open({desk.folder.filePath("model")});
        QTRY_COMPARE(desk.window->banners()->sentences(), QStringList{"model holds a model."});
        const auto buttons =
            desk.window->banners()->findChild<ui::Banner*>()->findChildren<QPushButton*>();
        QCOMPARE(buttons.first()->text(), "Load it");
        buttons.first()->click();
        QTRY_COMPARE(desk.engine.state(), ui::EngineThread::State::Ready);
        QTRY_VERIFY(desk.window->banners()->sentences().isEmpty());
    }

    void questionAboutTheShownPictureReachesTheModel()
    {
        Desk desk;
        desk.load();
        desk.window->open({desk.picture("a.png")});
        QTRY_COMPARE(desk.window->chat()->composer()->frames().size(), 1);
        desk.window->viewport()->setRegion({10, 8, 32, 24});
        QTRY_COMPARE(desk.window->chat()->composer()->frames().value(0).region,
                     QRect(10, 8, 32, 24));
        desk.window->chat()->composer()->setText("What is it?");
        desk.window->chat()->ask();
        QTRY_COMPARE(desk.window->chat()->messages().size(), 1);
        QTRY_VERIFY(!desk.conversation.isBusy());
        const auto requests = desk.model->requests();
        QCOMPARE(requests.size(), std::size_t(1));
        QCOMPARE(requests[0].messages.back().images.size(), std::size_t(1));
        QCOMPARE(requests[0].messages.back().images[0].width, 32);
        QTRY_COMPARE(desk.window->chat()->composer()->frames().size(),
                     0);  // the conversation has it now
    }

    void boxesAreDrawnOnThePictureTheyAreIn()
    {
        Desk desk;
        desk.load();
        desk.model->script = [](const inference::Request&) {
            test::Script script = test::says({}, "A polyp[[100, 100, 500, 500]].");
            script.boxes = {{"polyp", 0, 9, 6, 38, 25}};
            return script;
        };
        desk.window->open({desk.picture("a.png"), desk.picture("b.png", {80, 80})});
        QVERIFY(desk.opened(2));
        QTRY_COMPARE(desk.window->chat()->composer()->frames().size(), 1);
        desk.window->chat()->composer()->setText("Where?");
        desk.window->chat()->ask();
        QTRY_COMPARE(desk.window->viewport()->view()->boxes().size(), 1);
        QCOMPARE(desk.window->viewport()->view()->boxes()[0].rect, QRectF(9, 6, 38, 25));
        desk.window->library()->setCurrent(desk.window->library()->documents()[1]);
        QTRY_COMPARE(desk.window->viewport()->frame().pixels.size(), QSize(80, 80));
        QCOMPARE(desk.window->viewport()->view()->boxes().size(), 0);
        Q_EMIT desk.window->chat()->boxActivated(0, 0, true);
        QTRY_COMPARE(desk.window->viewport()->frame().pixels.size(), QSize(96, 64));
        QTRY_COMPARE(desk.window->viewport()->view()->boxes().size(), 1);
    }

    void boxesOfATurnedPictureAreDrawnOnTheTurnedOneOnly()
    {
        Desk desk;
        desk.load();
        desk.model->script = [](const inference::Request&) {
            test::Script script = test::says({}, "There[[100, 100, 500, 500]].");
            script.boxes = {{"there", 0, 9, 6, 38, 25}};
            return script;
        };
        // a grey ramp of 16 bits: square, and "as shown" other pixels of the same frame
        QImage ramp(64, 64, QImage::Format_Grayscale16);
        for (int y = 0; y < 64; ++y) {
            for (int x = 0; x < 64; ++x) {
                reinterpret_cast<quint16*>(ramp.scanLine(y))[x] = quint16(1000 * x);
            }
        }
        const QString file = desk.folder.filePath("ramp.png");
        QVERIFY(ramp.save(file));
        desk.window->open({file});
        QTRY_COMPARE(desk.window->chat()->composer()->frames().size(), 1);
        desk.window->chat()->composer()->setText("Where?");
        desk.window->chat()->ask();
        auto* view = desk.window->viewport()->view();
        QTRY_COMPARE(view->boxes().size(), 1);
        ui::FrameOptions options = desk.window->viewport()->options();
        options.asShown = true;
        desk.window->viewport()->setOptions(options);
        QTRY_VERIFY(view->boxes().isEmpty());
        desk.window->viewport()->setOptions({});
        QTRY_COMPARE(view->boxes().size(), 1);
    }

    void fewerTilesAreTheWindowsToo()
    {
        Desk desk;
        desk.load();
        desk.model->script = [](const inference::Request& request) {
            test::Script script = test::says({}, "Done.");
            if (request.maxTiles > 6) {
                script.pieces.clear();
                script.error = "The question needs 9,000 tokens; at most 5 tiles a picture fit.";
            }
            return script;
        };
        desk.window->open({desk.picture("a.png")});
        QTRY_COMPARE(desk.window->chat()->composer()->frames().size(), 1);
        desk.window->chat()->composer()->setText("What is it?");
        desk.window->chat()->ask();
        QTRY_COMPARE(desk.window->chat()->messages().size(), 1);
        auto* mend = desk.window->chat()->messages()[0]->findChild<QPushButton*>("mendButton");
        QTRY_VERIFY(mend->isVisible());
        QCOMPARE(mend->text(), "Use 5 tiles");
        mend->click();
        QTRY_COMPARE(desk.conversation.session().turns.last().answer, "Done.");
        QCOMPARE(desk.window->tileStrip()->options().maxTiles, 5);
        QCOMPARE(desk.settings.askOptions().maxTiles, 5);
    }

    void everyFileThatDoesNotOpenHasItsSentence()
    {
        Desk desk;
        QStringList files;
        for (int i = 0; i < 5; ++i) {
            files << desk.folder.filePath(QString("noise%1.xyz").arg(i));
            QFile out(files.last());
            QVERIFY(out.open(QIODevice::WriteOnly));
            out.write("not a picture at all");
        }
        desk.window->open(files);
        auto* area = desk.window->banners();
        QTRY_COMPARE(area->sentences().size(), 5);
        const auto seen = [&] {
            QStringList all;
            for (const ui::Banner* banner : area->findChildren<ui::Banner*>()) {
                if (banner->isVisible()) {
                    all << QString(banner->sentence())
                               .remove(0, banner->sentence().indexOf("noise"));
                }
            }
            return all.join(' ').count("noise");
        };
        QCOMPARE(seen(), 3);
        auto* count = area->findChild<QLabel*>("bannerCount");
        QCOMPARE(count->text(), "2 earlier messages");
        // a closed one makes room for an earlier one
        area->findChildren<ui::Banner*>().last()->findChild<QToolButton*>("bannerClose")->click();
        QCOMPARE(seen(), 3);
        QCOMPARE(count->text(), "1 earlier message");
        area->findChild<QPushButton*>("bannerCloseAll")->click();
        QVERIFY(!area->isVisible());
    }

    void pastedPictureOpens()
    {
        Desk desk;
        QImage image(20, 30, QImage::Format_RGB32);
        image.fill(Qt::red);
        QGuiApplication::clipboard()->setImage(image);
        QTest::keyClick(desk.window.get(), Qt::Key_V, Qt::ControlModifier);
        QTRY_COMPARE(desk.window->viewport()->frame().pixels.size(), QSize(20, 30));
    }

    void docksAreRemembered()
    {
        Desk desk;
        auto* library = desk.window->findChild<QDockWidget*>("libraryDock");
        QVERIFY(library->isVisible());
        QTest::keyClick(desk.window.get(), Qt::Key_F2);
        QTRY_VERIFY(!library->isVisible());
        desk.window->close();
        desk.window = desk.make();
        QVERIFY(!desk.window->findChild<QDockWidget*>("libraryDock")->isVisible());
        QVERIFY(desk.window->findChild<QDockWidget*>("chatDock")->isVisible());
    }

    void narrowWindowsHavePictureAndChatInTabs()
    {
        Desk desk;
        auto* tabs = desk.window->findChild<QTabBar*>("narrowTabs");
        QVERIFY(!tabs->isVisible());
        QVERIFY(!desk.window->library()->isCompact());
        desk.window->resize(1000, 700);
        QTRY_VERIFY(desk.window->library()->isCompact());
        desk.window->resize(800, 700);
        QTRY_VERIFY(tabs->isVisible());
        tabs->setCurrentIndex(1);
        QVERIFY(desk.window->chat()->isVisible());
        desk.window->resize(1366, 700);
        QTRY_VERIFY(!tabs->isVisible());
        QVERIFY(desk.window->chat()->isVisible());
        QVERIFY(desk.window->findChild<QDockWidget*>("chatDock")->isVisible());
    }

    void notForClinicalUseIsAlwaysThere()
    {
        Desk desk;
        QVERIFY(desk.window->findChild<QWidget*>("notForClinicalUse")->isVisible());
    }

    void verifiedEngineIsInTheDetailsOfItsAnswers()
    {
        Desk desk;
        auto* verify = desk.window->findChild<QAction*>("verifyEngine");
        QVERIFY(!verify->isEnabled());
        QVERIFY(verify->toolTip().contains("No model is loaded"));
        desk.load();
        QTRY_VERIFY(verify->isEnabled());
        desk.window->chat()->composer()->setText("?");
        desk.window->chat()->ask();
        QTRY_VERIFY(!desk.conversation.isBusy());
        const auto details = [&] {
            return desk.window->chat()->messages().first()->findChild<QLabel*>("answerNumbers");
        };
        QVERIFY(!details()->toolTip().contains("verified"));
        verify->trigger();
        desk.window->findChild<QPushButton*>("verifyStart")->click();
        QTRY_VERIFY2(details()->toolTip().contains("Engine verified: 3 of 3 checks passed"),
                     qPrintable(details()->toolTip()));
        QCOMPARE(desk.settings.verifications().size(), 1);
    }

    void droppedFileOpensWhereverItFalls_data()
    {
        QTest::addColumn<QString>("place");
        for (const char* place :
             {"mainWindow", "viewport", "emptyState", "library", "chatDock", "chatPanel",
              "composerText", "sessionTitle", "questionText", "answerText"}) {
            QTest::newRow(place) << place;
        }
    }
    void droppedFileOpensWhereverItFalls()
    {
        QFETCH(QString, place);
        Desk desk;
        desk.load();
        desk.window->chat()->composer()->setText("Say something");
        desk.window->chat()->ask();
        QTRY_VERIFY(!desk.conversation.isBusy());
        QWidget* target = place == "mainWindow" ? static_cast<QWidget*>(desk.window.get())
                                                : desk.window->findChild<QWidget*>(place);
        QVERIFY(target);
        if (auto* area = qobject_cast<QAbstractScrollArea*>(target)) {
            target = area->viewport();  // what is under the mouse
        }
        // As file managers do it: the address as text, too, and the wish to move the file.
        const QString file = desk.picture("dropped #1.png");
        QMimeData mime;
        mime.setUrls({QUrl::fromLocalFile(file)});
        mime.setText(QUrl::fromLocalFile(file).toString());
        const QPoint at = target->rect().center();
        QDragEnterEvent enter(at, Qt::MoveAction | Qt::CopyAction, &mime, Qt::LeftButton, {});
        enter.ignore();
        QApplication::sendEvent(target, &enter);
        QVERIFY(enter.isAccepted());
        QCOMPARE(enter.dropAction(), Qt::CopyAction);
        QDropEvent drop(at, Qt::MoveAction | Qt::CopyAction, &mime, Qt::LeftButton, {});
        QApplication::sendEvent(target, &drop);
        QVERIFY(drop.isAccepted());
        QCOMPARE(drop.dropAction(), Qt::CopyAction);
        QVERIFY(desk.opened(1));
        QCOMPARE(desk.window->library()->documents().first()->path(), file);
        QVERIFY(QFile::exists(file));
        QCOMPARE(desk.window->chat()->composer()->text(), QString());
        QVERIFY(
            !desk.window->chat()->findChild<QLineEdit*>("sessionTitle")->text().contains("file:"));
    }

    void detachedDockTakesFilesToo()
    {
        Desk desk;
        auto* dock = desk.window->findChild<QDockWidget*>("chatDock");
        dock->setFloating(true);
        QMimeData mime;
        mime.setUrls({QUrl::fromLocalFile(desk.picture("a.png"))});
        QDragEnterEvent enter({5, 5}, Qt::CopyAction, &mime, Qt::LeftButton, {});
        enter.ignore();
        QApplication::sendEvent(dock->widget(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop({5, 5}, Qt::CopyAction, &mime, Qt::LeftButton, {});
        QApplication::sendEvent(dock->widget(), &drop);
        QVERIFY(desk.opened(1));
    }

    void closingWhileAnAnswerStreamsStopsItAndKeepsWhatThereIs()
    {
        Desk desk;
        desk.load();
        desk.model->script = [](const inference::Request&) {
            test::Script script = test::says("Let me look.", "It is");
            script.delay = std::chrono::milliseconds(50);  // each piece is a signal
            script.untilStopped = true;
            return script;
        };
        desk.window->chat()->composer()->setText("What is it?");
        desk.window->chat()->ask();
        QTRY_COMPARE(desk.conversation.session().turns.last().answer, "It is");
        QElapsedTimer time;
        time.start();
        QVERIFY(desk.window->close());
        QVERIFY2(time.elapsed() < 50, qPrintable(QString::number(time.elapsed())));
        QTRY_VERIFY(!desk.conversation.isBusy());
        QVERIFY2(time.elapsed() < 300, qPrintable(QString::number(time.elapsed())));
        desk.window.reset();  // and nothing that still arrives looks for it
        QCOMPARE(desk.conversation.session().turns.last().state, ui::TurnState::Stopped);
        QCOMPARE(desk.conversation.session().turns.last().answer, "It is");
        QTest::qWait(50);
    }

    void windowDestroyedInTheMiddleOfAnAnswerLeavesTheRestAlone()
    {
        Desk desk;
        desk.load();
        desk.model->script = [](const inference::Request&) {
            test::Script script;
            for (int i = 0; i < 200; ++i) {
                script.pieces.emplace_back(inference::Channel::Answer, "word ");
            }
            script.delay = std::chrono::milliseconds(2);
            return script;
        };
        desk.window->chat()->composer()->setText("?");
        desk.window->chat()->ask();
        QTRY_VERIFY(!desk.conversation.session().turns.last().answer.isEmpty());
        desk.window.reset();
        QTRY_VERIFY(!desk.conversation.isBusy());
        QCOMPARE(desk.conversation.session().turns.last().state, ui::TurnState::Done);
    }
};

QTEST_MAIN(MainWindowTest)
#include "main_window_test.moc"
