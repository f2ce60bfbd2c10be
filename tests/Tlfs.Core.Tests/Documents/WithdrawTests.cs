using CloudPeer.TestKit;
using CsCheck;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Crdt;
using Xunit;
using ReplicaOf = Tlfs.Core.Documents.Replica;

namespace Tlfs.Core.Tests.Documents;

/// <summary>What nobody else has can be taken back and written again.</summary>
public sealed class WithdrawTests : IDisposable
{
    private readonly MemoryReplicaStore _store = new();
    private readonly ReplicaOf _replica;
    private readonly DocId _id;

    public WithdrawTests()
    {
        _replica = Open(_store, 400);
        _id = _replica.Create("everything");
    }

    public void Dispose()
    {
        _replica.Dispose();
        _store.Dispose();
    }

    [Fact]
    public void What_is_withdrawn_is_gone_and_what_is_written_again_is_as_it_was() => Gen.Select(Gen.ULong, Gen.Int[1, 12], Gen.Int[0, 11]).Sample(
        (seed, edits, kept) =>
        {
            var entropy = new SeededEntropy(seed);
            using var store = new MemoryReplicaStore();
            using var replica = Open(store, seed);
            var id = replica.Create("everything");
            Edit(replica, id, edit => edit.Set(".", Json.Parse("""{"matrix":[[1],[2,3],[]],"byI64":{"0":{"tags":["a","b"]},"1":{}},"text":"t"}""")));
            var states = new List<string>();
            var made = new List<EnvelopeId>();
            for (var i = 0; i < edits; i++)
            {
                var before = replica.Open(id).ToJson();
                if (TryEdit(replica, id, entropy) is not { } envelope) continue;
                states.Add(before);
                made.Add(envelope);
            }

            if (made.Count == 0) return;
            kept %= made.Count;
            var all = replica.Open(id).ToJson(allValues: true);
            var withdrawal = replica.Withdraw(id, made[kept], Reason.NotAuthorised, 1, _ => false);
            Assert.Equal(new(made.Count - kept, 0), withdrawal);
            Assert.Equal(states[kept], replica.Open(id).ToJson());
            Assert.Equal(made[kept..], replica.Withdrawn(id).Select(edit => edit.Envelope));
            Assert.Equal(made.Count - kept, replica.Reapply(id));
            Assert.Equal(all, replica.Open(id).ToJson(allValues: true));
            Assert.Empty(replica.Withdrawn(id));
            using var again = Open(store, seed ^ 1);
            Assert.Equal(replica.Open(id).StateHash, again.Open(id).StateHash);
        },
        iter: 300);

    [Fact]
    public void Removes_name_what_stands_in_the_place_of_what_they_named()
    {
        var first = Set("\"a\"");
        Set("\"b\"");
        _replica.Withdraw(_id, first, Reason.NotFound, 1, _ => false);
        _replica.Reapply(_id);
        Assert.Equal("[\"b\"]", _replica.Open(_id).ToJson(".text", allValues: true));
    }

    [Fact]
    public void Statements_are_withdrawn_and_not_written_again()
    {
        var first = Set("\"a\"");
        var grant = _replica.Author(_id, author => author.Grant(People.Bob.Card.Actor, Permission.Read));
        Set("\"sealed for Bob too\"");
        var withdrawal = _replica.Withdraw(_id, first, Reason.NotFound, 1, _ => false);
        Assert.Equal(2, withdrawal.Deltas);
        Assert.True(withdrawal.Statements >= 1);
        Assert.Null(_replica.Open(_id).Policy.Grant(grant));
        Assert.Equal(2, _replica.Reapply(_id));
        Assert.Null(_replica.Open(_id).Policy.Grant(grant));
        Assert.Equal("\"sealed for Bob too\"", _replica.Open(_id).ToJson(".text"));
    }

    [Fact]
    public void What_somebody_holds_or_rests_on_stays()
    {
        var first = Set("\"a\"");
        var second = Set("\"b\"");
        Refused(() => _replica.Withdraw(_id, first, Reason.NotFound, 1, envelope => envelope == second));
        _replica.Author(_id, author => author.Grant(People.Bob.Card.Actor, Permission.Write));
        var mine = Set("\"c\"");
        using var bob = new Copy(People.Bob, _id, 410);
        bob.Receive(_replica.Open(_id).Log.Select(held => held.Envelope));
        _replica.Receive(_id, [bob.Set(".text", "\"d\"")]);
        var last = _replica.Author(_id, author => author.Edit(edit => edit.Set(".flag", Json.Parse("true")))).Envelope;
        Refused(() => _replica.Withdraw(_id, mine, Reason.NotFound, 1, _ => false));
        Assert.Equal("\"d\"", _replica.Open(_id).ToJson(".text"));
        Assert.Equal(new(1, 0), _replica.Withdraw(_id, last, Reason.NotFound, 1, _ => false));
        Assert.Equal("false", _replica.Open(_id).ToJson(".flag"));
    }

    [Fact]
    public void The_beginning_of_a_document_stays()
    {
        var beginning = _replica.Open(_id).Log.First(held => held.Envelope.Header.Author == People.Ann.Device.Public).Envelope.Id;
        Refused(() => _replica.Withdraw(_id, beginning, Reason.NotFound, 1, _ => false));
        Assert.Equal("null", _replica.Open(_id).ToJson(".text"));
        Refused(() => _replica.Reapply(_id));
    }

    [Fact]
    public void A_failure_in_the_middle_leaves_everything_as_it_was()
    {
        var first = Set("\"a\"");
        Set("\"b\"");
        var log = _replica.Open(_id).Log.Select(held => held.Envelope.Id).ToArray();
        using var store = new FailingStore(_store);
        using (var failing = Open(store, 420))
        {
            failing.Open(_id);
            Assert.Throws<IOException>(() => failing.Withdraw(_id, first, Reason.NotFound, 1, _ => false));
            Assert.Equal(log, failing.Open(_id).Log.Select(held => held.Envelope.Id));
            Assert.Empty(failing.Withdrawn(_id));
            _replica.Withdraw(_id, first, Reason.NotFound, 1, _ => false);
            Assert.Throws<IOException>(() => failing.Reapply(_id));
            Assert.Equal("null", failing.Open(_id).ToJson(".text"));
            Assert.Equal(2, failing.Withdrawn(_id).Count);
        }

        Assert.Equal(2, _replica.Reapply(_id));
        Assert.Equal("\"b\"", _replica.Open(_id).ToJson(".text"));
    }

    [Fact]
    public void Another_process_that_has_the_document_open_goes_on_from_what_is_left()
    {
        var first = Set("\"a\"");
        using var other = Open(_store, 430);
        Assert.Equal("\"a\"", other.Open(_id).ToJson(".text"));
        var mark = other.Open(_id).Mark();
        _replica.Withdraw(_id, first, Reason.NotFound, 1, _ => false);
        Assert.Equal((ChangeKind.Update, ".text", "null"), Told(Assert.Single(other.Open(_id).ChangesSince(mark))));
        Edit(other, _id, edit => edit.Set(".flag", Json.Parse("true")));
        Assert.Equal(1, other.Reapply(_id));
        Assert.Equal("\"a\"", _replica.Open(_id).ToJson(".text"));
        Assert.Equal("true", _replica.Open(_id).ToJson(".flag"));
        using var fresh = Open(_store, 431);
        Assert.Equal(_replica.Open(_id).StateHash, fresh.Open(_id).StateHash);
    }

    [Fact]
    public void After_a_restore_what_was_written_before_has_to_be_here_first()
    {
        var lost = Set("\"before\"");
        var envelope = _replica.Open(_id).Find(lost)!.Envelope;
        _replica.Withdraw(_id, lost, Reason.NotFound, 1, _ => false);
        _store.Write(writer =>
        {
            writer.ForgetWithdrawn(_id);
            return true;
        });
        var later = _replica.Author(_id, author => author.Edit(edit => edit.Set(".flag", Json.Parse("true")))).Envelope;
        Assert.Equal(Reason.Equivocation, _replica.Receive(_id, [envelope])[0].Reason);
        Edit(_replica, _id, edit => edit.Set(".u64", Json.Parse("7")));
        _replica.Withdraw(_id, later, Reason.Equivocation, 1, _ => false);
        Assert.Equal(Reason.PrevMissing, Assert.Throws<TlfsException>(() => _replica.Reapply(_id)).Reason);
        Assert.Equal(Outcome.Applied, _replica.Receive(_id, [envelope])[0]);
        Assert.Equal(2, _replica.Reapply(_id));
        Assert.Equal(("\"before\"", "true", "7"), (_replica.Open(_id).ToJson(".text"), _replica.Open(_id).ToJson(".flag"), _replica.Open(_id).ToJson(".u64")));
    }

    private EnvelopeId Set(string text) => _replica.Author(_id, author => author.Edit(edit => edit.Set(".text", Json.Parse(text)))).Envelope;

    private static (ChangeKind Kind, string Path, string? Value) Told(DocumentChange change) => (change.Kind, change.Path, change.Value);

    private static void Refused(Action act) => Assert.Equal(Reason.NothingToDo, Assert.Throws<TlfsException>(act).Reason);

    private static void Edit(ReplicaOf replica, DocId id, Action<Transaction> edit) => replica.Author(id, author => author.Edit(edit));

    // What does not fit what is there is left out.
    private static EnvelopeId? TryEdit(ReplicaOf replica, DocId id, SeededEntropy entropy)
    {
        try
        {
            return replica.Author(id, author => author.Edit(edit => RandomEdit.Apply(edit, entropy))).Envelope;
        }
        catch (TlfsException)
        {
            return null;
        }
    }

    private static ReplicaOf Open(IReplicaStore store, ulong seed)
    {
        var replica = new ReplicaOf(store, People.Ann, new SeededEntropy(seed));
        replica.UseSchema(Core.Schema.TlfsPackage.Compile(Schemas.EverythingSource).Schemas[0]);
        return replica;
    }

    /// <summary>A store whose disk fails when a withdrawal or what replaces it is almost stored.</summary>
    private sealed class FailingStore(IReplicaStore inner) : IReplicaStore
    {
        public IReadOnlyList<DocId> Documents() => inner.Documents();

        public IEnumerable<StoredEnvelope> Envelopes(DocId document, long after) => inner.Envelopes(document, after);

        public StoredEnvelope? Envelope(DocId document, long row) => inner.Envelope(document, row);

        public StoredCheckpoint? Checkpoint(DocId document) => inner.Checkpoint(document);

        public ReadOnlyMemory<byte>? Page(DocId document, long page) => inner.Page(document, page);

        public IReadOnlyList<WithdrawnEdit> Withdrawn(DocId document) => inner.Withdrawn(document);

        public T Write<T>(Func<IReplicaWriter, T> work) => inner.Write(writer => work(new Writer(writer)));

        public void Dispose()
        {
        }

        private sealed class Writer(IReplicaWriter inner) : IReplicaWriter
        {
            public void AddDocument(DocId document) => inner.AddDocument(document);

            public void RemoveDocument(DocId document) => inner.RemoveDocument(document);

            public long Append(DocId document, IReadOnlyList<Envelope> bundle) => inner.Append(document, bundle);

            public void Fill(DocId document, long row, Envelope envelope) => inner.Fill(document, row, envelope);

            public long AppendPage(DocId document, ReadOnlyMemory<byte> page) => inner.AppendPage(document, page);

            public void SaveCheckpoint(DocId document, StoredCheckpoint checkpoint, IReadOnlyList<long> freed) => throw new IOException("the disk did not answer");

            public void DropCheckpoint(DocId document) => inner.DropCheckpoint(document);

            public IReadOnlyList<long> Withdraw(DocId document, IReadOnlyList<long> rows, IReadOnlyList<WithdrawnEdit> edits) => inner.Withdraw(document, rows, edits);

            public void ForgetWithdrawn(DocId document) => throw new IOException("the disk did not answer");
        }
    }
}
