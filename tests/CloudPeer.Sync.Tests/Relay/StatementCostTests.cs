using System.Collections.Concurrent;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>
/// One statement may turn the answers of all others of its document. Whoever makes the relay find that out pays for it, and nobody else waits for it: it is done
/// before the commit, and a commit itself evaluates no more than so much.
/// </summary>
public sealed class StatementCostTests : IAsyncDisposable
{
    // A commit that can evaluate nothing itself.
    private static readonly RelayLimits NoneInTheCommit = new() { CommitSteps = 0 };

    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;

    public StatementCostTests() => _world = new(_store);

    [Fact]
    public async Task What_turns_the_answers_of_many_is_evaluated_before_the_commit_and_charged()
    {
        const int Grants = 100, Turns = 5;
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var turns = await TurnsAsync(owner, document, Grants, Turns);
        var charged = new ConcurrentQueue<(PeerId Device, long Calls)>();
        await using var relay = _world.Charging(_store, charged, NoneInTheCommit with { StepsPerCall = 10 });

        Assert.All(await RelayWorld.PushEachAsync(relay, owner, document.Id, turns), outcome => Assert.True(outcome.Succeeded, outcome.Refusal?.ToString()));

        // Each of them has all grants judged again.
        Assert.InRange(charged.Sum(each => each.Calls), 2 * Turns * Grants / 10, 2 * Turns * 3 * (Grants + 20) / 10);
        Assert.All(charged, each => Assert.Equal(owner.Public, each.Device));
        Assert.Empty(_world.Faults);
    }

    [Fact]
    public async Task A_proof_of_a_fork_is_evaluated_before_the_commit_and_charged_by_the_statements_there_are()
    {
        var (owner, member) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        for (var i = 0; i < 10; i++) await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write));
        var (one, other) = (document.Delta(member, document.Draft(member.Public)), document.Delta(member, document.Draft(member.Public)));
        var proof = document.Next(owner, ForkProof.Of(one, other));

        var charged = new ConcurrentQueue<(PeerId Device, long Calls)>();
        await using var relay = _world.Charging(_store, charged, NoneInTheCommit with { StepsPerCall = 1 });
        Assert.True((await RelayWorld.PushAsync(relay, owner, document.Id, proof)).Succeeded);
        Assert.InRange(charged.Sum(each => each.Calls), 12, 3 * 13);
    }

    [Fact]
    public async Task Who_has_no_calls_left_is_refused_and_told_when_to_come_back_and_what_needs_no_evaluation_goes_on()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var grant = document.NextGrant(owner, _world.Device().Public, Permission.Read);
        await using var relay = new DocumentRelay(
            _world.Server, _store, _world.Tenants, TimeProvider.System, new() { StepsPerCall = 1 }, _world.Faults.Enqueue, charge: (_, _) => false);

        var refused = await RelayWorld.PushAsync(relay, owner, document.Id, grant);
        Assert.Equal((Reason.RateLimited, TimeSpan.FromSeconds(1)), (refused.Refusal!.Reason, refused.Refusal.RetryAfter));
        Assert.Equal(grant.Id, Assert.Single(refused.Refusal.Envelopes));
        Assert.True((await _world.PushAsync(owner, document, grant)).Succeeded);
        Assert.True((await RelayWorld.PushAsync(relay, owner, document.Id, document.NextDelta(owner))).Succeeded);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_commit_evaluates_a_statement_that_another_one_overtook_if_it_may_and_else_it_is_to_be_pushed_again(int spare)
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var (first, second) = (document.NextGrant(owner, _world.Device().Public, Permission.Read), document.NextGrant(owner, _world.Device().Public, Permission.Read));
        var (opened, waiting) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var store = Interception.Before<IRelayStore>(_store, (method, _, next) =>
        {
            if (method is not nameof(IRelayStore.BeginAsync)) return next();
            waiting.TrySetResult();
            return BeginAsync();

            async Task<IRelayTransaction> BeginAsync()
            {
                await opened.Task;
                return await (Task<IRelayTransaction>)next()!;
            }
        });

        // Three statements are there when the second one comes: genesis, the server's grant, and the first.
        await using var relay = _world.Start(store, new() { CommitSteps = (3 * 4) - 1 + spare });
        var before = RelayWorld.PushAsync(relay, owner, document.Id, first);
        await waiting.Task;
        var overtaken = RelayWorld.PushAsync(relay, owner, document.Id, first, second);
        opened.SetResult();
        Assert.True((await before).Succeeded);
        var outcome = await overtaken;
        if (spare == 0)
        {
            Assert.Equal(Reason.Unavailable, outcome.Refusal?.Reason);
            Assert.NotNull(outcome.Refusal!.RetryAfter);
            outcome = await RelayWorld.PushAsync(relay, owner, document.Id, first, second);
        }

        Assert.True(outcome.Succeeded, outcome.Refusal?.ToString());
        Assert.Empty(_world.Faults);
    }

    [Fact]
    public async Task Pushes_of_a_device_that_wait_for_no_answer_are_evaluated_one_after_the_other()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        Envelope[] grants = [.. Enumerable.Range(0, 100).Select(_ => document.NextGrant(owner, _world.Device().Public, Permission.Read))];
        await using var relay = _world.Start(_store, NoneInTheCommit);
        var queued = new List<Task<Task<IReadOnlyList<Outcome<IReadOnlyList<CloudPeer.Sync.Log.Receipt>>>>>>();
        Task earlier = Task.CompletedTask;
        foreach (var grant in grants)
        {
            queued.Add(relay.QueueAsync(owner.Public, document.Id, [[grant.Bytes]], CancellationToken.None, earlier: earlier));
            earlier = queued[^1].Unwrap();
        }

        foreach (var push in queued) Assert.All(await await push, outcome => Assert.True(outcome.Succeeded, outcome.Refusal?.ToString()));
    }

    [Fact]
    public async Task A_push_of_more_than_is_evaluated_for_one_is_taken_in_parts()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        Envelope[] grants = [.. Enumerable.Range(0, 4).Select(_ => document.NextGrant(owner, _world.Device().Public, Permission.Read))];
        await using var relay = _world.Start(_store, NoneInTheCommit with { PushSteps = 3 });

        // A grant takes at least two steps: itself, and that it is judged. So the second one exceeds what a push has.
        for (var taken = 2; taken <= grants.Length; taken += 2)
        {
            var outcomes = await RelayWorld.PushEachAsync(relay, owner, document.Id, grants);
            Assert.Equal(grants.Select((_, i) => i < taken), outcomes.Select(outcome => outcome.Succeeded));
            Assert.All(outcomes.Skip(taken), outcome => Assert.NotEqual(Reason.Internal, outcome.Refusal!.Reason));
        }
    }

    [Fact]
    public async Task A_new_document_is_evaluated_in_its_commit_up_to_the_limit()
    {
        var owner = _world.Tenant();
        var (small, large) = (_world.Document(owner), _world.Document(owner));
        await using var relay = _world.Start(_store, new() { CommitSteps = 200 });
        Assert.True((await RelayWorld.PushAsync(relay, owner, small.Id, Begin(small, 20))).Succeeded);
        Assert.Equal(Reason.Unavailable, (await RelayWorld.PushAsync(relay, owner, large.Id, Begin(large, 50))).Refusal?.Reason);

        Envelope[] Begin(DocumentBuilder document, int grants) =>
            [document.Genesis, document.NextGrant(owner, _world.Server.Public, Permission.Sync), .. Enumerable.Range(0, grants).Select(_ => document.NextGrant(owner, _world.Device().Public, Permission.Read))];
    }

    [Fact]
    public async Task Statements_that_are_shown_are_charged_by_what_they_take()
    {
        var (host, author) = (_world.Tenant(), _world.Device());
        var document = _world.Document(author);
        Envelope[] shown =
        [
            document.Genesis, document.NextGrant(author, host.Public, Permission.Control), .. Enumerable.Range(0, 20).Select(_ => document.NextGrant(author, _world.Device().Public, Permission.Read)),
        ];
        var charged = new ConcurrentQueue<(PeerId Device, long Calls)>();
        await using var relay = _world.Charging(_store, charged, new() { StepsPerCall = 1 });
        var outcomes = await relay.PushAsync(host.Public, document.Id, [[shown[0].Bytes]], CancellationToken.None, statements: [.. shown.Select(each => each.Bytes)]);
        Assert.True(Assert.Single(outcomes).Succeeded, outcomes[0].Refusal?.ToString());
        Assert.InRange(charged.Sum(each => each.Calls), 2 * shown.Length, 4 * shown.Length);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    // A member gave many grants. Again and again somebody takes its right away without having seen them, and is, before that, deprived of the right to do so.
    private async Task<Envelope[]> TurnsAsync(SigningKey owner, DocumentBuilder document, int grants, int turns)
    {
        var member = _world.Device();
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Control));
        SigningKey[] masters = [.. Enumerable.Range(0, turns).Select(_ => _world.Device())];
        await _world.AcceptAsync(owner, document, [.. masters.Select(master => document.NextGrant(owner, master.Public, Permission.Own))]);
        var seen = document.Draft(owner.Public).Auth;
        await _world.AcceptAsync(owner, document, [.. Enumerable.Range(0, grants).Select(_ => document.NextGrant(member, _world.Device().Public, Permission.Read))]);

        var (all, last, chain) = (new List<Envelope>(), seen, document.Draft(owner.Public));
        foreach (var master in masters)
        {
            all.Add((document.Draft(master.Public) with { Auth = seen }).SignStatement(master, new Revoke(document.GrantOf(member.Public), document.GrantOf(master.Public), []).Encode()));
            all.Add((chain with { Auth = last }).SignStatement(owner, new Revoke(document.GrantOf(master.Public), document.GrantOf(owner.Public), []).Encode()));
            (last, chain) = ([all[^1].Id], chain with { Seq = chain.Seq + 1, Prev = all[^1].Id });
        }

        return [.. all];
    }
}
