#include "ui/view/library_panel.h"

#include "support/generated_document.h"
#include "ui/view/library_model.h"

#include <QListView>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace ui;
using test::GeneratedDocument;

namespace {

std::shared_ptr<test::DocumentLog> g_log;

std::unique_ptr<OpenDocument> opened(const QString& title, const QString& path, int frames = 1)
{
    auto document = std::make_unique<GeneratedDocument>();
    document->name = title;
    document->file = path;
    document->count = frames;
    g_log = document->log;
    return std::make_unique<OpenDocument>(std::move(document));
}

}  // namespace

class LibraryPanelTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anEmptyLibraryOffersToOpen()
    {
        LibraryPanel panel;
        panel.resize(220, 400);
        panel.show();
        QSignalSpy open(&panel, &LibraryPanel::openRequested);
        auto* button = panel.findChild<QPushButton*>();
        QVERIFY(button->isVisible());
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(open.count(), 1);
        const auto one = opened("a", "/a");
        panel.add(one.get());
        QVERIFY(!button->isVisible());
        panel.remove(one.get());
        QVERIFY(button->isVisible());
    }

    void documentsOfOnePathStayTogetherUnderItsName()
    {
        LibraryPanel panel;
        const auto a = opened("series 1", "/study"), b = opened("picture", "/b.png"),
                   c = opened("series 2", "/study");
        for (const auto* document : {&a, &b, &c}) {
            panel.add(document->get());
        }
        QCOMPARE(panel.documents(), (QList<OpenDocument*>{a.get(), c.get(), b.get()}));
        const auto* model = panel.findChild<LibraryModel*>();
        QStringList headers;
        for (int row = 0; row < 3; ++row) {
            headers << model->index(row).data(LibraryModel::HeaderRole).toString();
        }
        QCOMPARE(headers, (QStringList{"study", "", ""}));
        panel.remove(c.get());
        QVERIFY(model->index(0).data(LibraryModel::HeaderRole).toString().isEmpty());
    }

    void choosingADocumentSaysSo()
    {
        LibraryPanel panel;
        panel.resize(220, 500);
        panel.show();
        const auto a = opened("a", "/a"), b = opened("b", "/b");
        panel.add(a.get());
        panel.add(b.get());
        QVERIFY(!panel.current());
        QSignalSpy current(&panel, &LibraryPanel::currentChanged);
        panel.setCurrent(a.get());
        QCOMPARE(panel.current(), a.get());
        QTest::keyClick(panel.findChild<QListView*>(), Qt::Key_Down);
        QCOMPARE(panel.current(), b.get());
        QCOMPARE(current.count(), 2);
        QCOMPARE(current.last().first().value<OpenDocument*>(), b.get());
    }

    void aClickEnterAndEscLeadToThePicture()
    {
        LibraryPanel panel;
        panel.resize(220, 500);
        panel.show();
        const auto a = opened("a", "/a"), b = opened("b", "/b");
        panel.add(a.get());
        panel.add(b.get());
        auto* list = panel.findChild<QListView*>();
        QSignalSpy activated(&panel, &LibraryPanel::activated);
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {},
                          list->visualRect(list->model()->index(1, 0)).center());
        QCOMPARE(panel.current(), b.get());
        QCOMPARE(activated.count(), 1);
        QCOMPARE(activated.last().first().value<OpenDocument*>(), b.get());
        QTest::keyClick(list, Qt::Key_Up);  // looks through the list without leaving it
        QCOMPARE(activated.count(), 1);
        QTest::keyClick(list, Qt::Key_Escape);
        QCOMPARE(activated.count(), 2);
        QTest::keyClick(list, Qt::Key_Return);
        QCOMPARE(activated.count(), 3);
    }

    void theNeighbourBecomesCurrentWhereTheCurrentOneGoes()
    {
        LibraryPanel panel;
        auto a = opened("a", "/a"), b = opened("b", "/b"), c = opened("c", "/c");
        for (const auto* document : {&a, &b, &c}) {
            panel.add(document->get());
        }
        panel.setCurrent(b.get());
        panel.remove(b.get());
        QVERIFY(panel.current() == a.get() || panel.current() == c.get());
        a.reset();  // deleted without a word
        QCOMPARE(panel.documents(), QList<OpenDocument*>{c.get()});
        QCOMPARE(panel.current(), c.get());
        QSignalSpy current(&panel, &LibraryPanel::currentChanged);
        panel.remove(c.get());
        QVERIFY(!panel.current());
        QCOMPARE(current.count(), 1);
    }

    void unreadDocumentsAreFoundInTurn()
    {
        LibraryPanel panel;
        const auto a = opened("a", "/a"), b = opened("b", "/b"), c = opened("c", "/c");
        for (const auto* document : {&a, &b, &c}) {
            panel.add(document->get());
        }
        panel.setCurrent(b.get());
        QCOMPARE(panel.nextUnread(), c.get());
        panel.setCurrent(c.get());
        QCOMPARE(panel.nextUnread(), a.get());
        panel.setCurrent(a.get());
        QVERIFY(!panel.nextUnread());
    }

    void aThumbnailIsMadeOfTheMiddleFrameWhenItIsFirstSeen()
    {
        LibraryPanel panel;
        panel.resize(220, 300);  // shows two
        std::vector<std::unique_ptr<OpenDocument>> documents;
        QList<std::shared_ptr<test::DocumentLog>> logs;
        for (int i = 0; i < 20; ++i) {
            documents.push_back(opened("x", QString("/%1").arg(i), 9));
            logs.append(g_log);
            panel.add(documents.back().get());
        }
        QTest::qWait(30);
        QCOMPARE(logs[0]->thumbnails, 0);
        panel.show();
        QTRY_COMPARE(logs[0]->thumbnails, 1);
        QCOMPARE(logs[0]->lastThumbnail, 4);
        QTest::qWait(50);
        QCOMPARE(logs[19]->thumbnails, 0);
        QCOMPARE(logs[0]->thumbnails, 1);
        // and it is drawn
        const QImage shown = panel.grab().toImage();
        bool green = false;
        for (int y = 0; y < 120; ++y) {
            green = green || shown.pixelColor(50, y) == QColor(Qt::darkGreen);
        }
        QVERIFY(green);
        panel.setCurrent(documents[19].get());
        QTRY_COMPARE(logs[19]->thumbnails, 1);
    }

    void deleteAsksToClose()
    {
        LibraryPanel panel;
        const auto a = opened("a", "/a");
        panel.add(a.get());
        QSignalSpy close(&panel, &LibraryPanel::closeRequested);
        QTest::keyClick(panel.findChild<QListView*>(), Qt::Key_Delete);
        QCOMPARE(close.count(), 0);
        panel.setCurrent(a.get());
        QTest::keyClick(panel.findChild<QListView*>(), Qt::Key_Delete);
        QCOMPARE(close.count(), 1);
        QCOMPARE(panel.documents().size(), 1);  // the window decides
    }

    void aNarrowLibraryShowsPicturesOnly()
    {
        LibraryPanel panel;
        const auto a = opened("a", "/a");
        panel.add(a.get());
        QCOMPARE(panel.sizeHint().width(), 220);
        panel.setCompact(true);
        QVERIFY(panel.sizeHint().width() <= 136);
        QVERIFY(panel.sizeHint().width() >= 112);
    }
};

QTEST_MAIN(LibraryPanelTest)
#include "library_panel_test.moc"
