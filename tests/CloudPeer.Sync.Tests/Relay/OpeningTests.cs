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

/// <summary>Documents that are brought in pieces by whoever shows beside them that they may be held here (sync.md §1.2).</summary>
public sealed class OpeningTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;

    public OpeningTests() => _world = new(_store);

    [Fact]
    public async Task Who_was_given_control_late_brings_the_document_in_pieces_and_alone_until_it_is_there()
    {
        var (owner, manager, member, other) = (_world.Device(), _world.Tenant(), _world.Device(), _world.Tenant());
        var document = _world.Document(owner);
        document.NextGrant(owner, member.Public, Permission.Write);
        document.NextGrant(owner, _world.Server.Public, Permission.Sync);
        document.NextDelta(member);
        var control = document.NextGrant(owner, manager.Public, Permission.Control);
        var last = document.NextDelta(manager);

        Assert.Equal(Reason.NotFound, (await PushAsync(manager, document, [], document.Genesis)).Refusal?.Reason);
        Assert.Null((await PushAsync(manager, document, Statements(document), document.Genesis)).Refusal);
        Assert.Equal(HostingState.Opening, await HostingAsync(document));
        foreach (var envelope in document.Envelopes.Skip(1).TakeWhile(each => each != control))
        {
            // Neither the rights that others have in what is there, nor the server's own grant, count yet.
            foreach (var device in new[] { owner, member, other }) await _world.AssertNotServedAsync(device, document);
            await _world.AcceptAsync(manager, document, envelope);
        }

        await _world.AssertNotServedAsync(member, document);
        await _world.AcceptAsync(manager, document, control);
        Assert.Equal(HostingState.Served, await HostingAsync(document));
        await _world.AcceptAsync(member, document, last);
        Assert.Equal(document.Envelopes.Select(each => each.Id), (await RelayWorld.ReadAllAsync(_world.Relay, member, document.Id)).Select(entry => entry.Id));
        Assert.Equal(_world.Tenants.Register(manager.Public), (await _store.FindAsync(document.Id, CancellationToken.None))!.Host);
        await _world.AssertNotServedAsync(other, document);
    }

    [Fact]
    public async Task What_was_begun_is_read_and_gone_on_with_by_any_device_of_the_tenant_also_after_a_restart()
    {
        var (owner, manager, second) = (_world.Device(), _world.Tenant(), _world.Device());
        _world.Tenants.Join(second.Public, _world.Tenants.Register(manager.Public));
        var document = _world.Document(owner);
        var delta = document.NextDelta(owner);
        var control = document.NextGrant(owner, manager.Public, Permission.Control);
        await PushAsync(manager, document, Statements(document), document.Genesis);

        await using var restarted = _world.Start(_store);
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(restarted, second, document.Id)).Count + 1);
        Assert.True((await RelayWorld.PushAsync(restarted, second, document.Id, delta)).Succeeded);
        Assert.True((await RelayWorld.PushAsync(restarted, second, document.Id, control)).Succeeded);

        // From here on the log itself says who is served.
        Assert.Equal(HostingState.Private, await HostingAsync(document));
        Assert.Equal(Reason.NotFound, (await restarted.ReadAsync(second.Public, document.Id, new(0), CancellationToken.None)).Refusal?.Reason);
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(restarted, manager, document.Id)).Count);
    }

    [Fact]
    public async Task Nothing_less_than_control_that_holds_begins_a_document()
    {
        var (owner, manager) = (_world.Device(), _world.Tenant());
        var document = _world.Document(owner);
        var write = document.NextGrant(owner, manager.Public, Permission.Write);
        await AssertAsync(Reason.NotFound, document.Genesis, write);

        var control = document.NextGrant(owner, manager.Public, Permission.Control);
        await AssertAsync(Reason.NotFound, control);
        await AssertAsync(Reason.NotFound, write, control);
        foreach (var (bad, _) in Unusable(document, owner, control)) await AssertAsync(Reason.NotFound, document.Genesis, write, bad);

        var forged = Signed(new Draft(document.Id, 2, document.Genesis.Id, [], [document.Genesis.Id], null), manager, manager.Public, Permission.Control, document.GrantOf(owner.Public));
        await AssertAsync(Reason.NotFound, document.Genesis, forged);
        Assert.Null(await _store.FindAsync(document.Id, CancellationToken.None));

        document.NextRevoke(owner, manager.Public);
        await AssertAsync(Reason.NotFound, [.. document.Envelopes.Where(IsStatement)]);
        Assert.Null((await PushAsync(manager, document, [document.Genesis, write, control], document.Genesis)).Refusal);

        async Task AssertAsync(Reason reason, params Envelope[] shown) =>
            Assert.Equal(reason, (await PushAsync(manager, document, shown, document.Genesis)).Refusal?.Reason);
    }

    [Fact]
    public async Task A_server_that_was_dismissed_takes_everything_again_once_its_new_grant_is_shown()
    {
        var (owner, member) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        var first = document.GrantOf(_world.Server.Public);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write));
        await _world.AcceptAsync(owner, document, document.NextRevoke(owner, _world.Server.Public));
        var (mine, theirs) = (document.NextDelta(owner), document.NextDelta(member));
        var again = document.NextGrant(owner, _world.Server.Public, Permission.Sync);

        // The grant that was revoked calls nobody back, nor does one of somebody who may not give it.
        var old = document.Envelopes.Single(each => each.Id == first.Envelope);
        var forged = Signed(new Draft(document.Id, 2, theirs.Id, [], again.Header.Auth, null), member, _world.Server.Public, Permission.Sync, document.GrantOf(member.Public));
        foreach (var shown in new Envelope[][] { [], [old], [forged] })
            Assert.Equal(Reason.NotHosted, (await PushAsync(owner, document, shown, mine)).Refusal?.Reason);
        foreach (var (bad, reason) in Unusable(document, owner, again)) Assert.Equal(reason, (await PushAsync(owner, document, [bad], mine)).Refusal?.Reason);
        await _world.AssertNotServedAsync(_world.Tenant(), document);

        Assert.Null((await PushAsync(owner, document, [again], mine)).Refusal);
        Assert.Equal(HostingState.Returning, await HostingAsync(document));
        await using var restarted = _world.Start(_store);
        Assert.True((await RelayWorld.PushAsync(restarted, member, document.Id, theirs)).Succeeded);
        Assert.True((await RelayWorld.PushAsync(restarted, owner, document.Id, again)).Succeeded);
        Assert.Equal(HostingState.Served, await HostingAsync(document));
        Assert.Equal(document.Envelopes.Count, (await RelayWorld.ReadAllAsync(restarted, member, document.Id)).Count);
    }

    [Fact]
    public async Task A_server_that_returned_for_a_grant_that_does_not_come_any_more_is_dismissed_again()
    {
        var (owner, manager) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, manager.Public, Permission.Control), document.NextRevoke(owner, _world.Server.Public));
        var first = document.NextDelta(manager);
        var again = Signed(document.Draft(manager.Public), manager, _world.Server.Public, Permission.Sync, document.GrantOf(manager.Public));
        Assert.Null((await PushAsync(manager, document, [again], first)).Refusal);

        // The owner does not know of it, and it does not count beyond the cut.
        await _world.AcceptAsync(owner, document, document.NextRevoke(owner, manager.Public, cut: 1));

        Assert.Equal(HostingState.Ended, await HostingAsync(document));
        Assert.Equal(Reason.NotHosted, (await _world.RefuseAsync(owner, document, document.NextDelta(owner))).Reason);
        Assert.Equal(Reason.NotFound, (await PushAsync(manager, document, [again], document.NextDelta(manager))).Refusal?.Reason);
    }

    [Fact]
    public async Task Of_what_a_log_would_not_hold_nothing_counts_however_much_is_shown()
    {
        var (owner, manager, stranger) = (_world.Device(), _world.Tenant(), _world.Device());
        var document = _world.Document(owner);
        var filler = document.Genesis;
        List<Envelope> shown = [document.Genesis];
        for (var i = 0; i < 100; i++)
        {
            // Nobody named the author, however many statements it signs.
            filler = Signed(new Draft(document.Id, (ulong)i + 1, i == 0 ? default : filler.Id, [], [document.Genesis.Id], null), stranger, manager.Public, Permission.Control, document.GrantOf(owner.Public));
            shown.Add(filler);
        }

        Assert.Equal(Reason.NotFound, (await PushAsync(manager, document, [.. shown], document.Genesis)).Refusal?.Reason);
        Assert.Null((await PushAsync(manager, document, [.. shown, document.NextGrant(owner, manager.Public, Permission.Control)], document.Genesis)).Refusal);
    }

    [Fact]
    public async Task What_is_shown_is_bounded_and_charged()
    {
        var (owner, manager) = (_world.Device(), _world.Tenant());
        var document = _world.Document(owner);
        for (var i = 0; i < 8; i++) document.NextGrant(owner, manager.Public, Permission.Control);
        var many = await Assert.ThrowsAsync<TlfsException>(() => PushAsync(manager, document, [.. Enumerable.Repeat(document.Genesis, 4097)], document.Genesis));
        Assert.Equal(Reason.TooLarge, many.Reason);

        var charged = 0L;
        await using var relay = new DocumentRelay(
            _world.Server, _store, _world.Tenants, TimeProvider.System, new() { PushEnvelopes = 4, PushBytes = 8000 }, charge: (_, calls) => (charged += calls) <= 3);
        Assert.Null((await PushAsync(relay, manager, document, Statements(document), document.Genesis)).Refusal);
        Assert.Equal(3, charged);

        // Where they decide nothing they are not looked at, but charged all the same: the price must not tell whether a document is here.
        var another = _world.Document(manager);
        Assert.Equal(Reason.RateLimited, (await PushAsync(relay, manager, document, [another.Genesis], document.Envelopes[1])).Refusal?.Reason);
        charged = 0;
        Assert.Null((await PushAsync(relay, manager, document, [another.Genesis], document.Envelopes[1])).Refusal);
        charged = 3;
        Assert.Equal(Reason.RateLimited, (await PushAsync(relay, manager, another, [another.Genesis], another.Genesis)).Refusal?.Reason);
        var large = await Assert.ThrowsAsync<TlfsException>(() => PushAsync(relay, manager, another, [.. Enumerable.Repeat(another.Genesis, 40)], another.Genesis));
        Assert.Equal(Reason.TooLarge, large.Reason);
    }

    private enum Act
    {
        Delta, Control, Member, Dismissed, Server, Dismiss, OfManager,
    }

    private static readonly Gen<(Act[] Acts, int[] Pieces)> Histories = Gen.Select(Gen.Enum<Act>().Array[1, 40], Gen.Int[1, 6].Array[40]);

    // As a client does: it shows what gives it Control first, and what calls the server back if that is asked for, without what the server holds.
    [Fact]
    public Task However_a_history_is_cut_into_pushes_all_of_it_arrives_and_the_server_serves_it() =>
        Gen.Select(Gen.ULong, Histories).SampleAsync((seed, history) => RunAsync(seed, history.Acts, history.Pieces), iter: 150, threads: 1);

    private static async Task RunAsync(ulong seed, Act[] acts, int[] pieces)
    {
        await using var store = new MemoryRelayStore();
        await using var world = new RelayWorld(store, seed);
        var (owner, manager, member) = (world.Device(), world.Tenant(), world.Device());
        var document = world.Document(owner);
        Write(document, world.Server, owner, manager, member, [.. acts, Act.Member, Act.Control, Act.OfManager, Act.Server]);
        var (sent, shown) = (0, Statements(document));
        var asksToReturn = false;
        for (var i = 0; sent < document.Envelopes.Count; i++)
        {
            var size = pieces[i % pieces.Length];
            Envelope[][] bundles = [.. document.Envelopes.Skip(sent).Take(size * 4).Chunk(size)];
            var results = await PushAsync(world.Relay, manager, document, shown, bundles);
            var taken = results.TakeWhile(result => result.Succeeded).Count();
            sent += bundles.Take(taken).Sum(bundle => bundle.Length);
            if (taken > 0) (shown, asksToReturn) = ([], false);
            if (taken == bundles.Length) continue;
            Assert.Equal(Reason.NotHosted, results[taken].Refusal?.Reason);
            Assert.False(asksToReturn, "What was shown did not help.");
            (shown, asksToReturn) = ([.. document.Envelopes.Skip(sent).Where(IsStatement)], true);
        }

        Assert.Equal(HostingState.Served, (await store.FindAsync(document.Id, CancellationToken.None))!.Hosting);
        var log = await RelayWorld.ReadAllAsync(world.Relay, member, document.Id);
        Assert.Equal(document.Envelopes.Select(each => each.Id), log.Select(entry => entry.Id));
        Assert.Empty(world.Faults);
    }

    private static void Write(DocumentBuilder document, SigningKey server, SigningKey owner, SigningKey manager, SigningKey member, Act[] acts)
    {
        var (isHosted, isMember, isManager) = (false, false, false);
        foreach (var act in acts)
        {
            switch (act)
            {
                case Act.Delta: document.NextDelta(owner); break;
                case Act.Control: document.NextGrant(owner, manager.Public, Permission.Control); isManager = true; break;
                case Act.Member: document.NextGrant(owner, member.Public, Permission.Write); isMember = true; break;
                case Act.Dismissed when isMember: document.NextRevoke(owner, member.Public); isMember = false; break;
                case Act.Server when !isHosted: document.NextGrant(owner, server.Public, Permission.Sync); isHosted = true; break;
                case Act.Dismiss when isHosted: document.NextRevoke(owner, server.Public); isHosted = false; break;
                case Act.OfManager when isManager: document.NextDelta(manager); document.NextGrant(manager, member.Public, Permission.Write); isMember = true; break;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static Envelope[] Statements(DocumentBuilder document) => [.. document.Envelopes.Where(IsStatement)];

    private (Envelope Envelope, Reason Reason)[] Unusable(DocumentBuilder document, SigningKey author, Envelope statement) =>
    [
        (DocumentBuilder.WithBadSignature(statement), Reason.BadSignature),
        (_world.Document(author).Genesis, Reason.WrongDocument),
        (document.Delta(author, document.Draft(author.Public)), Reason.Malformed),
    ];

    // A grant that does not become the document's.
    private static Envelope Signed(Draft draft, SigningKey author, PeerId to, Permission permission, GrantId by) =>
        draft.SignStatement(author, new Grant(new PeerActor(to), permission, ZoneId.Root, by).Encode());

    private static bool IsStatement(Envelope envelope) => envelope.Header.Type == EnvelopeType.Policy;

    private Task<Outcome<IReadOnlyList<Receipt>>> PushAsync(SigningKey pusher, DocumentBuilder document, Envelope[] shown, params Envelope[] bundle) =>
        PushAsync(_world.Relay, pusher, document, shown, bundle);

    private static async Task<Outcome<IReadOnlyList<Receipt>>> PushAsync(
        DocumentRelay relay, SigningKey pusher, DocumentBuilder document, Envelope[] shown, params Envelope[] bundle) =>
        Assert.Single(await PushAsync(relay, pusher, document, shown, [bundle]));

    private static Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> PushAsync(
        DocumentRelay relay, SigningKey pusher, DocumentBuilder document, Envelope[] shown, Envelope[][] bundles) => relay.PushAsync(
            pusher.Public, document.Id, [.. bundles.Select(bundle => bundle.Select(each => each.Bytes).ToArray())], CancellationToken.None,
            statements: [.. shown.Select(each => each.Bytes)]);

    private async Task<HostingState> HostingAsync(DocumentBuilder document) => (await _store.FindAsync(document.Id, CancellationToken.None))!.Hosting;
}
