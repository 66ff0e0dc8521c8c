#include "ui/view/properties_panel.h"

#include "support/generated_document.h"

#include <QApplication>
#include <QClipboard>
#include <QLineEdit>
#include <QTest>
#include <QTreeView>

using namespace ui;

class PropertiesPanelTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void propertiesAreATreeThatCanBeFilteredAndCopied()
    {
        OpenDocument document(std::make_unique<test::GeneratedDocument>());
        PropertiesPanel panel;
        panel.setDocument(&document);
        auto* tree = panel.findChild<QTreeView*>();
        QTRY_COMPARE(tree->model()->rowCount(), 1);
        const QModelIndex file = tree->model()->index(0, 0);
        QCOMPARE(file.data().toString(), "File");
        QCOMPARE(tree->model()->rowCount(file), 1);
        QCOMPARE(tree->model()->index(0, 1, file).data().toString(), "48");

        auto* filter = panel.findChild<QLineEdit*>();
        filter->setText("rOWS");  // a child keeps its parents
        QCOMPARE(tree->model()->rowCount(), 1);
        QCOMPARE(tree->model()->rowCount(tree->model()->index(0, 0)), 1);
        filter->setText("nothing of the kind");
        QCOMPARE(tree->model()->rowCount(), 0);

        filter->clear();
        panel.show();
        tree->setFocus();
        QVERIFY(QTest::qWaitForWindowActive(&panel));
        tree->selectAll();
        QTest::keyClick(tree, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), "File\tx\nRows\t48");
        panel.setDocument(nullptr);
        QCOMPARE(tree->model()->rowCount(), 0);
    }
};

QTEST_MAIN(PropertiesPanelTest)
#include "properties_panel_test.moc"
