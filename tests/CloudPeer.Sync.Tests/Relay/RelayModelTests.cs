using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using CsCheck;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>
/// Random pushes, good and bad, to several documents at once, against a model that only knows lists: a log is the list of what was
/// accepted, a receipt stays what it was, and what is refused changes nothing.
/// </summary>
public sealed class RelayModelTests
{
    private enum Act
    {
        Delta, Bundle, Again, Gap, Fork, WrongPrev, Unsigned, MissingDep, Powerless, Unknown, Stranger, Grant, Revoke, HalfGood, NewcomerWrites,
    }

    private static readonly Gen<Act[]> Acts = Gen.Enum<Act>().Array[10, 60];

    [Fact]
    public Task A_relay_is_a_list_of_what_it_accepted() =>
        Gen.Select(Gen.ULong, Acts.Array[1, 3]).SampleAsync(RunAsync, iter: 60, threads: 1);

    private static async Task RunAsync(ulong seed, Act[][] documents)
    {
        await using var store = new MemoryRelayStore();
        await using var world = new RelayWorld(store, seed, new() { RecentIds = 8, CachedItems = 100, CommitEnvelopes = 5 });
        var owner = world.Tenant();
        var models = new List<Model>();
        foreach (var _ in documents) models.Add(new(world, owner, await world.HostedAsync(owner)));

        await Task.WhenAll(models.Zip(documents, (model, acts) => model.RunAsync(acts)));

        ulong used = 0;
        foreach (var model in models)
        {
            await model.CheckAsync();
            used += (await store.FindAsync(model.Document.Id, CancellationToken.None))!.StoredBytes;
        }

        await using var transaction = await store.BeginAsync([], [world.Tenants.Register(owner.Public)], CancellationToken.None);
        Assert.Equal(used, Assert.Single(transaction.Usage).Value.StoredBytes);
        Assert.Empty(world.Faults);
    }

    private sealed class Model(RelayWorld world, SigningKey owner, DocumentBuilder document)
    {
        private readonly SigningKey _writer = world.Device();
        private readonly SigningKey _reader = world.Device();
        private readonly SigningKey _stranger = world.Device();
        private readonly List<Envelope> _log = [.. document.Envelopes];
        private readonly List<(Envelope[] Bundle, string Receipts)> _accepted = [];

        public DocumentBuilder Document => document;

        public async Task RunAsync(Act[] acts)
        {
            await GoodAsync(document.NextGrant(owner, _writer.Public, Permission.Write), document.NextGrant(owner, _reader.Public, Permission.Sync));
            foreach (var act in acts) await StepAsync(act);
        }

        public async Task CheckAsync()
        {
            var entries = await RelayWorld.ReadAllAsync(world.Relay, owner, document.Id);
            Assert.Equal(_log.Select(envelope => envelope.Id), entries.Select(entry => entry.Id));
            Assert.All(_log.Zip(entries), pair => Assert.True(pair.First.Bytes.Span.SequenceEqual(pair.Second.Bytes.Span)));
            foreach (var (bundle, receipts) in _accepted) Assert.Equal(receipts, RelayWorld.Text(await world.AcceptAsync(owner, document, bundle)));
        }

        private Task StepAsync(Act act) => act switch
        {
            Act.Delta => GoodAsync(document.NextDelta(_writer)),
            Act.Bundle => GoodAsync(document.NextDelta(_writer), document.NextDelta(owner), document.NextDelta(_writer)),
            Act.Again => AgainAsync(),
            Act.Gap => BadAsync(Reason.ChainBehind, Next(_writer, draft => draft with { Seq = draft.Seq + 1, Prev = Missing })),
            Act.Fork => _log.Exists(IsWriters) ? BadAsync(Reason.ChainBroken, Fork(_log.Find(IsWriters)!.Header)) : Task.CompletedTask,
            Act.WrongPrev => BadAsync(Reason.ChainBroken, Next(owner, draft => draft with { Prev = Missing })),
            Act.Unsigned => BadAsync(Reason.BadSignature, Unsigned(Next(_writer, draft => draft))),
            Act.MissingDep => BadAsync(Reason.DepsMissing, Next(_writer, draft => draft with { Deps = [Missing] })),
            Act.Powerless => BadAsync(Reason.NotAuthorised, Next(_reader, draft => draft)),
            Act.Unknown => BadAsync(Reason.AuthorUnknown, Next(_stranger, draft => draft)),
            Act.Stranger => BadAsync(Reason.NotFound, _stranger, Next(owner, draft => draft)),
            Act.Grant => GoodAsync(document.NextGrant(owner, world.Device().Public, Permission.Read)),
            Act.Revoke => RevokeAsync(),
            Act.HalfGood => BadAsync(Reason.NotAuthorised, Next(owner, draft => draft), Next(_reader, draft => draft)),
            Act.NewcomerWrites => NewcomerAsync(),
        };

        private async Task GoodAsync(params Envelope[] bundle)
        {
            var receipts = await world.AcceptAsync(owner, document, bundle);
            for (var i = 0; i < bundle.Length; i++)
            {
                _log.Add(bundle[i]);
                AssertPlace(receipts[i].Leaf);
            }

            _accepted.Add((bundle, RelayWorld.Text(receipts)));
        }

        private void AssertPlace(ReceiptLeaf leaf)
        {
            Assert.Equal(((ulong)_log.Count - 1, (ulong)_log.Count), (leaf.Index, leaf.Size));
            Assert.Equal(MerkleTree.Root([.. _log.Select(envelope => MerkleTree.Leaf(envelope.Id.Value))]), leaf.Root);
        }

        private Task BadAsync(Reason reason, params Envelope[] bundle) => BadAsync(reason, owner, bundle);

        private async Task BadAsync(Reason reason, SigningKey pusher, params Envelope[] bundle) =>
            Assert.Equal(reason, (await world.RefuseAsync(pusher, document, bundle)).Reason);

        private async Task AgainAsync()
        {
            var (bundle, receipts) = _accepted[_log.Count % _accepted.Count];
            Assert.Equal(receipts, RelayWorld.Text(await world.AcceptAsync(_writer, document, bundle)));
        }

        // A grant and the first use of it, in one bundle.
        private Task NewcomerAsync()
        {
            var newcomer = world.Device();
            return GoodAsync(document.NextGrant(owner, newcomer.Public, Permission.Write), document.NextDelta(newcomer));
        }

        private async Task RevokeAsync()
        {
            var member = world.Device();
            await GoodAsync(document.NextGrant(owner, member.Public, Permission.Write), document.NextDelta(member));
            var late = Next(member, draft => draft);
            await GoodAsync(document.NextRevoke(owner, member.Public));
            await BadAsync(Reason.NotAuthorised, late);
            await BadAsync(Reason.NotFound, member, Next(owner, draft => draft));
        }

        private bool IsWriters(Envelope envelope) => envelope.Header.Author == _writer.Public;

        private EnvelopeId Missing => new(new(world.Entropy.Bytes(32)));

        private Envelope Next(SigningKey author, Func<Draft, Draft> change) => document.Delta(author, change(document.Draft(author.Public)));

        private Envelope Fork(EnvelopeHeader header) =>
            document.Delta(_writer, document.Draft(_writer.Public) with { Seq = header.Seq, Prev = header.Prev });

        private static Envelope Unsigned(Envelope envelope)
        {
            var bytes = envelope.Bytes.ToArray();
            bytes[envelope.HeaderBytes.Length + 63] ^= 0x10;
            Assert.True(Envelope.TryDecode(bytes, out var changed, out _));
            return changed;
        }
    }
}
