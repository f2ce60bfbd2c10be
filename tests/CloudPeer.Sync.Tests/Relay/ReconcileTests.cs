using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Reconciliation at the relay (sync.md §7): every message stands for itself, is about one size of the log, and costs what it must.</summary>
public sealed class ReconcileTests : IAsyncLifetime
{
    private readonly MemoryRelayStore _store = new();
    private RelayWorld? _world;
    private SigningKey? _owner;
    private DocId _document;

    private RelayWorld World => _world!;

    public async ValueTask InitializeAsync()
    {
        _world = new(_store);
        _owner = World.Tenant();
        _document = (await World.HostedAsync(_owner)).Id;
    }

    public async ValueTask DisposeAsync()
    {
        _owner?.Dispose();
        if (_world is not null) await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task What_is_learnt_is_the_difference_whatever_the_sets()
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            var entropy = new SeededEntropy((ulong)seed);
            int Below(int limit) => BitConverter.ToUInt16(entropy.Bytes(2)) % limit;
            var (store, log) = await LongLog.BeforeAsync(_store, _document, 2 + Below(seed % 10 == 0 ? 3_000 : 90), seed);
            await using var relay = World.Start(store);
            var missing = Below(40);
            HashSet<EnvelopeId> own = [.. log.Ids.Where(_ => Below(100) >= missing), .. Enumerable.Range(0, Below(30)).Select(i => LongLog.Numbered(-seed, i))];
            var session = new Session(relay, _owner!, _document, own, entropy);
            await session.RunAsync();
            Assert.Equal(own.Except(log.Ids).Order(), session.OnlyHere);
            Assert.Equal(log.Ids.Except(own).Order(), session.OnlyThere);
            Assert.Equal((ulong)log.Ids.Count, session.Size);
        }
    }

    [Fact]
    public async Task A_session_is_about_the_log_as_it_was_first_while_that_grows()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 1_000);
        await using var relay = World.Start(store);
        var first = log.Ids.ToArray();
        var session = new Session(relay, _owner!, _document, first.Skip(300), World.Entropy) { BetweenMessages = () => log.Grow(log.Ids.Count + 100) };
        await session.RunAsync();
        Assert.True(session.Messages >= 3);
        Assert.Equal(first.Take(300).Order(), session.OnlyThere);
        Assert.Empty(session.OnlyHere);

        // Who begins now is told of all of it; what was made before is gone on with.
        var next = new Session(relay, _owner!, _document, first, World.Entropy);
        await next.RunAsync();
        Assert.Equal(log.Ids.Skip(1_000).Order(), next.OnlyThere);
        Assert.Equal((1_000, log.Ids.Count - 1_000), (session.Steps, next.Steps));
    }

    [Fact]
    public async Task A_log_that_grew_by_the_limit_is_gone_on_with_and_by_one_more_is_begun_anew()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 100);
        await using var relay = World.Start(store, new() { ComparedGrowth = 50 });
        log.Grow(150);
        Assert.Null((await AskAsync(relay, 100)).Outcome.Refusal);
        log.Grow(151);
        Assert.Equal(Reason.BadArgument, (await AskAsync(relay, 100)).Outcome.Refusal?.Reason);
        Assert.Null((await AskAsync(relay, 151)).Outcome.Refusal);
        Assert.Equal(Reason.BadArgument, (await AskAsync(relay, 152)).Outcome.Refusal?.Reason);
    }

    [Fact]
    public async Task A_log_of_the_limit_is_compared_and_one_of_one_more_is_too_large()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 300);
        await using var relay = World.Start(store, new() { ComparedIds = 300, ComparedGrowth = 10 });
        Assert.Null((await AskAsync(relay)).Outcome.Refusal);
        log.Grow(301);
        Assert.Equal(Reason.TooLarge, (await AskAsync(relay)).Outcome.Refusal?.Reason);
        Assert.Null((await AskAsync(relay, 300)).Outcome.Refusal);
    }

    [Fact]
    public async Task Many_who_ask_at_once_make_the_set_once_and_a_long_one_in_steps()
    {
        const int Size = 9_000;
        var (store, log) = await LongLog.BeforeAsync(_store, _document, Size);
        await using var relay = World.Start(store, new() { ComparedStep = 4_000 });
        log.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var asking = Enumerable.Range(0, 8).Select(_ => AskAsync(relay)).ToArray();
        log.Gate.SetResult();
        var answers = await Task.WhenAll(asking);
        Assert.All(answers, answer => Assert.Equal((ulong)Size, answer.Outcome.Value?.Size));
        Assert.Equal(Size, log.Read);
        Assert.Equal(Size, answers.Sum(answer => answer.Steps));
    }

    [Fact]
    public async Task Who_goes_away_leaves_the_steps_that_are_done()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 10_000);
        await using var relay = World.Start(store, new() { ComparedStep = 3_000 });
        using var leaving = new CancellationTokenSource();
        log.BeforeRead = () =>
        {
            if (log.Read >= 6_000) leaving.Cancel();
            leaving.Token.ThrowIfCancellationRequested();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskUntilAsync(relay, 0, _document, leaving.Token));
        log.BeforeRead = () => { };
        var answer = await AskAsync(relay);
        Assert.Equal((true, 4_000), (answer.Outcome.Succeeded, answer.Steps));
        Assert.Equal(10_000, log.Read);
    }

    [Fact]
    public async Task Sets_make_room_for_one_another_within_the_limit()
    {
        var other = (await World.HostedAsync(_owner!)).Id;
        var (inner, log) = await LongLog.BeforeAsync(_store, _document, 200);
        var (store, others) = await LongLog.BeforeAsync(inner, other, 200);
        await using var relay = World.Start(store, new() { ComparedIds = 300, ComparedGrowth = 50 });
        for (var round = 1; round <= 3; round++)
        {
            Assert.True((await AskAsync(relay)).Outcome.Succeeded);
            Assert.True((await AskAsync(relay, document: other)).Outcome.Succeeded);
            Assert.Equal((200 * round, 200 * round), (log.Read, others.Read));
        }
    }

    [Fact]
    public async Task A_log_that_came_anew_is_not_taken_for_the_old_one()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 400);
        await using var relay = World.Start(store);
        Assert.True((await AskAsync(relay)).Outcome.Succeeded);
        foreach (var (from, size) in new[] { (100, 400), (50, 600) })
        {
            log.Replace(from, size, salt: size);
            var session = new Session(relay, _owner!, _document, log.Ids, World.Entropy);
            await session.RunAsync();
            Assert.Equal((1, 0, 0), (session.Messages, session.OnlyHere.Count, session.OnlyThere.Count));
        }
    }

    [Fact]
    public async Task A_stranger_is_told_nothing_before_any_work_is_done()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 400);
        await using var relay = World.Start(store);
        var stranger = World.Device();
        foreach (var document in new[] { _document, World.Document(stranger).Id })
        {
            var refused = await relay.ReconcileAsync(stranger.Public, document, new(0, new byte[] { 1 }, default), CancellationToken.None);
            Assert.Equal((Refusal.NotFound, 0), (refused.Outcome.Refusal, refused.Steps));
        }

        Assert.Equal(0, log.Read);
    }

    [Fact]
    public async Task Hostile_messages_are_refused_or_answered_within_bounds()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 2_000);
        await using var relay = World.Start(store);
        var valid = new List<byte[]>();
        var session = new Session(relay, _owner!, _document, log.Ids.Skip(900).Append(LongLog.Numbered(5, 5)), World.Entropy) { Sent = valid.Add };
        await session.RunAsync();
        var (hello, entropy, refused) = (valid[0], World.Entropy, 0);
        for (var i = 0; i < 4_000; i++)
        {
            var bytes = (byte[])valid[entropy.Bytes(1)[0] % valid.Count].Clone();
            for (var changes = entropy.Bytes(1)[0] % 4; changes >= 0 && bytes.Length > 0; changes--) bytes[BitConverter.ToUInt16(entropy.Bytes(2)) % bytes.Length] = entropy.Bytes(1)[0];
            if (i % 3 == 0) bytes = bytes[..(BitConverter.ToUInt16(entropy.Bytes(2)) % (bytes.Length + 1))];
            var asHello = i % 2 == 0;
            var answer = await relay.ReconcileAsync(_owner!.Public, _document, new(0, asHello ? bytes : hello, asHello ? default : bytes), CancellationToken.None);
            if (answer.Outcome.Succeeded) Assert.InRange(answer.Outcome.Value.Message.Length, 1, 64 << 10);
            else refused++;
        }

        Assert.InRange(refused, 1_000, 4_000);
        Assert.Empty(World.Faults);
    }

    private Task<Costed<ReconcileAnswer>> AskAsync(DocumentRelay relay, ulong size = 0, DocId? document = null) =>
        AskUntilAsync(relay, size, document ?? _document, TestContext.Current.CancellationToken);

    private Task<Costed<ReconcileAnswer>> AskUntilAsync(DocumentRelay relay, ulong size, DocId document, CancellationToken cancellationToken) => relay.ReconcileAsync(
        _owner!.Public, document, new(size, new ReconcileInitiator(RadixTree.Empty, default, SystemEntropy.Instance).Start(), default), cancellationToken);

    /// <summary>The side that asks, over a relay.</summary>
    private sealed class Session(DocumentRelay relay, SigningKey reader, DocId document, IEnumerable<EnvelopeId> own, IEntropy entropy)
    {
        private readonly ReconcileInitiator _initiator = new(own.Aggregate(RadixTree.Empty, (tree, id) => tree.Set(id.Value.ToArray(), [])), default, entropy);

        public Action<byte[]> Sent { get; init; } = _ => { };

        public Action BetweenMessages { get; init; } = () => { };

        public int Messages { get; private set; }

        public ulong Size { get; private set; }

        public long Steps { get; private set; }

        public IReadOnlyList<EnvelopeId> OnlyHere => [.. _initiator.OnlyHere.Select(id => new EnvelopeId(id)).Order()];

        public IReadOnlyList<EnvelopeId> OnlyThere => [.. _initiator.OnlyThere.Select(id => new EnvelopeId(id)).Order()];

        public async Task RunAsync()
        {
            for (var next = _initiator.Start(); next is not null; Messages++)
            {
                Sent(next);
                var ask = _initiator.Hello.Span.SequenceEqual(next) ? default : (ReadOnlyMemory<byte>)next;
                var answer = await relay.ReconcileAsync(reader.Public, document, new(Size, _initiator.Hello, ask), CancellationToken.None);
                Assert.True(answer.Outcome.Succeeded, answer.Outcome.Refusal?.ToString());
                if (Size != 0) Assert.Equal(Size, answer.Outcome.Value.Size);
                Size = answer.Outcome.Value.Size;
                Steps += answer.Steps;
                Assert.True(_initiator.TryReceive(answer.Outcome.Value.Message, out next, out var error), error.ToString());
                BetweenMessages();
            }

            Assert.True(_initiator.IsDone);
        }
    }
}
