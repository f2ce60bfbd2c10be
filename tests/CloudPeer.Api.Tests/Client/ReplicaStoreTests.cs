using CloudPeer.TestKit;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>What every replica store promises.</summary>
public abstract class ReplicaStoreTests : IDisposable
{
    private readonly SigningKey _owner = SigningKey.Generate(new SeededEntropy(1));

    protected ReplicaStoreTests() => Document = new(new SeededEntropy(2), _owner);

    internal DocumentBuilder Document { get; }

    protected TempFolder Folder { get; } = new("store");

    protected abstract IReplicaStore Open();

    [Fact]
    public void Documents_come_in_the_order_in_which_they_were_added_each_once()
    {
        using var store = Open();
        var other = new DocumentBuilder(new SeededEntropy(3), _owner);
        Add(store, other.Id);
        Add(store, Document.Id);
        Add(store, other.Id);
        Assert.Equal([other.Id, Document.Id], store.Documents());
    }

    [Fact]
    public void Rows_ascend_and_name_the_first_row_of_their_bundle()
    {
        using var store = Open();
        Add(store, Document.Id);
        var alone = Append(store, 1);
        var last = Append(store, 3);
        var rows = store.Envelopes(Document.Id, 0).ToArray();
        Assert.Equal(rows.OrderBy(row => row.Row).Select(row => row.Row), rows.Select(row => row.Row));
        Assert.Equal((alone, last), (rows[0].Row, rows[3].Row));
        Assert.Equal([rows[0].Row, rows[1].Row, rows[1].Row, rows[1].Row], rows.Select(row => row.Bundle));
        Assert.Equal(3, store.Envelopes(Document.Id, alone).Count());
        Assert.Equal(Document.Envelopes[0].Bytes.ToArray(), rows[0].Bytes.ToArray());
    }

    [Fact]
    public void A_write_that_throws_changed_nothing()
    {
        using var store = Open();
        Add(store, Document.Id);
        Append(store, 1);
        Assert.Throws<InvalidOperationException>(() => store.Write<bool>(writer =>
        {
            writer.Append(Document.Id, [Document.NextDelta(_owner)]);
            writer.RemoveDocument(Document.Id);
            throw new InvalidOperationException("on purpose");
        }));
        Assert.Single(store.Envelopes(Document.Id, 0));
    }

    [Fact]
    public void A_removed_document_leaves_nothing_and_its_rows_are_not_used_again()
    {
        using var store = Open();
        Add(store, Document.Id);
        var row = Append(store, 2);
        store.Write(writer =>
        {
            writer.RemoveDocument(Document.Id);
            return true;
        });
        Assert.Empty(store.Documents());
        Add(store, Document.Id);
        Assert.Empty(store.Envelopes(Document.Id, 0));
        Assert.True(Append(store, 1) > row);
    }

    [Fact]
    public void More_envelopes_than_a_page_are_all_read()
    {
        using var store = Open();
        Add(store, Document.Id);
        Append(store, 700);
        Assert.Equal(700, store.Envelopes(Document.Id, 0).Select(row => row.Row).Distinct().Count());
    }

    public void Dispose()
    {
        Folder.Dispose();
        _owner.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static void Add(IReplicaStore store, DocId document) => store.Write(writer =>
    {
        writer.AddDocument(document);
        return true;
    });

    // The genesis first, then deltas.
    private protected long Append(IReplicaStore store, int count) => store.Write(writer =>
    {
        var isNew = !store.Envelopes(Document.Id, 0).Any();
        return writer.Append(Document.Id, [.. Enumerable.Range(0, count).Select(i => isNew && i == 0 ? Document.Genesis : Document.NextDelta(_owner))]);
    });
}

public sealed class MemoryReplicaStoreTests : ReplicaStoreTests
{
    protected override IReplicaStore Open() => new MemoryReplicaStore();
}

public sealed class SqliteReplicaStoreTests : ReplicaStoreTests
{
    protected override IReplicaStore Open() => SqliteReplicaStore.Open(Folder.File("home"));

    [Fact]
    public void What_a_write_returned_from_is_there_without_closing_anything()
    {
        using var abandoned = SqliteReplicaStore.Open(Folder.File("home"));
        Add(abandoned, Document.Id);
        Append(abandoned, 5);

        // A killed process leaves the file and its log as they are at this moment.
        CopyHome("copy");
        using var store = SqliteReplicaStore.Open(Folder.File("copy"));
        Assert.Equal(5, store.Envelopes(Document.Id, 0).Count());
    }

    [Fact]
    public void A_copy_torn_in_the_middle_of_a_commit_has_the_commits_before_it()
    {
        using var abandoned = SqliteReplicaStore.Open(Folder.File("home"));
        Add(abandoned, Document.Id);
        Append(abandoned, 1);
        var safe = new FileInfo(Path.Combine(Folder.File("home"), "replica.db-wal")).Length;
        Append(abandoned, 50);
        var whole = new FileInfo(Path.Combine(Folder.File("home"), "replica.db-wal")).Length;
        for (var length = safe; length < whole; length += 4_099)
        {
            var copy = CopyHome("torn" + length.ToString(System.Globalization.CultureInfo.InvariantCulture));
            using (var log = File.OpenWrite(Path.Combine(copy, "replica.db-wal"))) log.SetLength(length);
            using var store = SqliteReplicaStore.Open(copy);
            Assert.Single(store.Envelopes(Document.Id, 0));
        }
    }

    [Fact]
    public async Task Two_stores_on_one_home_interleave_their_writes()
    {
        using var left = SqliteReplicaStore.Open(Folder.File("home"));
        using var right = SqliteReplicaStore.Open(Folder.File("home"));
        Add(left, Document.Id);
        var writes = new[] { left, right }.Select(store => Task.Run(() =>
        {
            for (var i = 0; i < 40; i++) Add(store, new(new Bytes32([.. new SeededEntropy((ulong)(store == left ? i : 1_000 + i)).Bytes(32)])));
        }));
        await Task.WhenAll(writes);
        Assert.Equal(81, left.Documents().Count);
        Assert.Equal(left.Documents(), right.Documents());
    }

    [Fact]
    public void A_full_disk_loses_nothing_and_it_works_again_when_there_is_room()
    {
        using var store = SqliteReplicaStore.Open(Folder.File("home"));
        Add(store, Document.Id);
        Append(store, 1);
        var pages = store.Database.Single("PRAGMA page_count", reader => reader.GetInt64(0));
        store.Database.Single("PRAGMA max_page_count = " + (pages + 2).ToString(System.Globalization.CultureInfo.InvariantCulture), reader => reader.GetInt64(0));
        var full = Assert.Throws<TlfsException>(() => Append(store, 200));
        Assert.Equal(Reason.StorageFull, full.Reason);
        Assert.Single(store.Envelopes(Document.Id, 0));
        store.Database.Single("PRAGMA max_page_count = 1000000", reader => reader.GetInt64(0));
        Append(store, 200);
        Assert.Equal(201, store.Envelopes(Document.Id, 0).Count());
    }

    [Fact]
    public void Home_and_files_are_private_to_the_user()
    {
        using var store = SqliteReplicaStore.Open(Folder.File("home"));
        Add(store, Document.Id);
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder.File("home")));
        var files = Directory.GetFiles(Folder.File("home"));
        Assert.Equal(3, files.Length);
        foreach (var file in files) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData("UPDATE format SET version = 2", Reason.Unsupported)]
    [InlineData("DROP TABLE format", Reason.InputOutput)]
    public void A_newer_or_foreign_file_is_refused_and_left_alone(string change, Reason reason)
    {
        using (var store = SqliteReplicaStore.Open(Folder.File("home"))) store.Database.Execute(change);
        Assert.Equal(reason, Assert.Throws<TlfsException>(() => SqliteReplicaStore.Open(Folder.File("home"))).Reason);
    }

    [Fact]
    public void A_damaged_file_is_refused()
    {
        Directory.CreateDirectory(Folder.File("home"));
        File.WriteAllText(Path.Combine(Folder.File("home"), "replica.db"), new string('?', 8_192));
        Assert.Equal(Reason.InputOutput, Assert.Throws<TlfsException>(() => SqliteReplicaStore.Open(Folder.File("home"))).Reason);
    }

    private string CopyHome(string name)
    {
        var copy = Folder.Folder(name);
        foreach (var file in Directory.GetFiles(Folder.File("home")))
            if (!file.EndsWith("-shm", StringComparison.Ordinal)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }
}
