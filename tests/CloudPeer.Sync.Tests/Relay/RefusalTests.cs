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

/// <summary>The checks of sync.md §2, one by one and in their order.</summary>
public sealed class RefusalTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;

    public RefusalTests() => _world = new(_store);

    [Fact]
    public async Task An_envelope_with_every_fault_is_refused_for_the_first_one_that_is_left()
    {
        var owner = _world.Tenant();
        var account = _world.Tenants.Register(owner.Public);
        var (member, newcomer) = (_world.Device(), _world.Device());
        var document = await _world.HostedAsync(owner);
        var missing = new EnvelopeId(new(_world.Entropy.Bytes(32)));
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Sync));
        await _world.AcceptAsync(owner, document, document.NextRevoke(owner, _world.Server.Public));
        _world.Tenants.Change(account, 1, mayWrite: false);

        // An author nobody knows, a gap, a bad signature, a missing dep, no permission, no room; pushed by a stranger to a closed document.
        Task<Refusal> Push(SigningKey pusher, SigningKey author, Func<Draft, Draft> change, bool signed) =>
            _world.RefuseAsync(pusher, document, Tampered(document.Delta(author, change(document.Draft(author.Public))), signed));
        Draft Everything(Draft draft) => draft with { Seq = 2, Prev = missing, Deps = [missing] };
        Draft NoGap(Draft draft) => draft with { Deps = [missing] };

        Assert.Equal(Reason.NotFound, (await Push(_world.Device(), newcomer, Everything, signed: false)).Reason);
        Assert.Equal(Reason.NotHosted, (await Push(member, newcomer, Everything, signed: false)).Reason);

        _world.Tenants.Change(account, 0, mayWrite: true);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, _world.Server.Public, Permission.Sync));
        _world.Tenants.Change(account, 1, mayWrite: false);
        var closed = await Push(member, newcomer, Everything, signed: false);
        Assert.Equal((Reason.SubscriptionReadOnly, null), (closed.Reason, closed.Quota));

        _world.Tenants.Change(account, 1, mayWrite: true);
        Assert.Equal(Reason.AuthorUnknown, (await Push(member, newcomer, Everything, signed: false)).Reason);
        var behind = await Push(member, member, Everything, signed: false);
        Assert.Equal((Reason.ChainBehind, new ChainTip(member.Public, 0, default)), (behind.Reason, behind.Tip));
        Assert.Equal(Reason.BadSignature, (await Push(member, member, NoGap, signed: false)).Reason);
        Assert.Equal(Reason.DepsMissing, (await Push(member, member, NoGap, signed: true)).Reason);
        Assert.Equal(Reason.NotAuthorised, (await Push(member, member, draft => draft, signed: true)).Reason);
        var full = await Push(member, owner, draft => draft, signed: true);
        Assert.Equal((Reason.QuotaExceeded, 1UL), (full.Reason, full.Quota!.Limit));
        Assert.Equal((await StateAsync(document)).StoredBytes, full.Quota.Used);

        _world.Tenants.Change(account, 0, mayWrite: true);
        await _world.AcceptAsync(member, document, document.NextDelta(owner));
        Assert.Empty(_world.Faults);
    }

    [Fact]
    public async Task Bytes_that_are_no_envelope_are_refused_before_anything_else_and_name_their_neighbours()
    {
        var owner = _world.Tenant();
        var (document, other) = (_world.Document(owner), _world.Document(owner));
        var delta = document.NextDelta(owner).Bytes;
        var cut = delta[..^1];
        var noise = delta.ToArray();
        noise[^1] ^= 1;
        var unknownVersion = delta.ToArray();
        unknownVersion[2] = 2;
        var results = await _world.Relay.PushAsync(
            _world.Device().Public,
            document.Id,
            [[], [delta, cut], [noise], [unknownVersion], [new byte[Limits.EnvelopeBytes + 1]], [other.Genesis.Bytes], [delta]],
            CancellationToken.None);

        Assert.Equal(
            [Reason.Malformed, Reason.Malformed, Reason.PartHash, Reason.Unsupported, Reason.TooLarge, Reason.WrongDocument, Reason.NotFound],
            results.Select(result => result.Refusal!.Reason));
        Assert.Equal([document.Envelopes[1].Id], results[1].Refusal!.Envelopes);
        Assert.Equal([other.Genesis.Id], results[5].Refusal!.Envelopes);
        Assert.Equal([document.Envelopes[1].Id], results[6].Refusal!.Envelopes);
    }

    [Fact]
    public async Task A_push_at_the_limit_is_taken_and_one_past_it_is_not()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var limits = new RelayLimits { PushEnvelopes = 4, PushBytes = 1 << 20 };
        await using var relay = _world.Start(_store, limits);

        var five = Enumerable.Range(0, 5).Select(_ => document.NextDelta(owner)).ToArray();
        Assert.Equal(Reason.TooLarge, await FailAsync(relay, five));
        Assert.True((await RelayWorld.PushAsync(relay, owner, document.Id, five[..4])).Succeeded);
        var many = await Assert.ThrowsAsync<TlfsException>(() => relay.PushAsync(owner.Public, document.Id, [[], [], [], [], []], CancellationToken.None));
        Assert.Equal(Reason.TooLarge, many.Reason);
        Assert.True((await RelayWorld.PushAsync(relay, owner, document.Id, five[4])).Succeeded);

        await using var exact = _world.Start(_store, limits with { PushBytes = Next().Bytes.Length });
        Assert.True((await RelayWorld.PushAsync(exact, owner, document.Id, document.Envelopes[^1])).Succeeded);
        await using var tight = _world.Start(_store, limits with { PushBytes = Next().Bytes.Length - 1 });
        Assert.Equal(Reason.TooLarge, await FailAsync(tight, document.Envelopes[^1]));

        async Task<Reason> FailAsync(DocumentRelay pushed, params Envelope[] bundle) =>
            (await Assert.ThrowsAsync<TlfsException>(() => RelayWorld.PushAsync(pushed, owner, document.Id, bundle))).Reason;

        Envelope Next() => document.NextDelta(owner, 1000);
    }

    [Fact]
    public async Task A_document_has_so_many_authors_and_one_more_is_too_large()
    {
        var (owner, member, other) = (_world.Tenant(), _world.Device(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write), document.NextGrant(owner, other.Public, Permission.Write));
        await using var relay = _world.Start(_store, new() { Authors = 3 });

        Assert.True((await RelayWorld.PushAsync(relay, member, document.Id, document.NextDelta(member))).Succeeded);
        Assert.True((await RelayWorld.PushAsync(relay, member, document.Id, document.NextDelta(member))).Succeeded);
        Assert.Equal(Reason.TooLarge, (await RelayWorld.PushAsync(relay, other, document.Id, document.NextDelta(other))).Refusal?.Reason);
    }

    [Fact]
    public async Task Quota_is_exact_to_the_byte_and_over_all_documents_of_the_tenant()
    {
        var owner = _world.Tenant();
        var account = _world.Tenants.Register(owner.Public);
        var (first, second) = (await _world.HostedAsync(owner), await _world.HostedAsync(owner));
        var used = (await StateAsync(first)).StoredBytes + (await StateAsync(second)).StoredBytes;
        var delta = second.NextDelta(owner, 2000);

        _world.Tenants.Change(account, used + (ulong)delta.Bytes.Length - 1, mayWrite: true);
        var refusal = await _world.RefuseAsync(owner, second, delta);
        Assert.Equal((Reason.QuotaExceeded, new QuotaUse(QuotaResource.Storage, used + (ulong)delta.Bytes.Length - 1, used)), (refusal.Reason, refusal.Quota));
        _world.Tenants.Change(account, used + (ulong)delta.Bytes.Length, mayWrite: true);
        var receipt = await _world.AcceptAsync(owner, second, delta);
        Assert.Equal(Reason.QuotaExceeded, (await _world.RefuseAsync(owner, first, first.NextDelta(owner))).Reason);

        // What is there already costs nothing, and reading goes on.
        Assert.Equal(RelayWorld.Text(receipt), RelayWorld.Text(await _world.AcceptAsync(owner, second, delta)));
        Assert.Equal(3, (await RelayWorld.ReadAllAsync(_world.Relay, owner, second.Id)).Count);
    }

    [Fact]
    public async Task A_bundle_is_stored_whole_or_not_at_all_and_does_not_stop_those_after_it()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var (good, next) = (document.NextDelta(owner), document.NextDelta(owner));
        var fork = document.Delta(owner, document.Draft(owner.Public) with { Seq = next.Header.Seq, Prev = good.Id });

        var results = await _world.Relay.PushAsync(
            owner.Public, document.Id, [[good.Bytes, Tampered(next, signed: false).Bytes], [good.Bytes], [next.Bytes, fork.Bytes], [next.Bytes]], CancellationToken.None);

        Assert.Equal(Reason.BadSignature, results[0].Refusal!.Reason);
        Assert.Equal([good.Id, next.Id], results[0].Refusal!.Envelopes);
        Assert.True(results[1].Succeeded);
        Assert.Equal((Reason.ChainBroken, new ChainTip(owner.Public, next.Header.Seq, next.Id)), (results[2].Refusal!.Reason, results[2].Refusal!.Tip));
        Assert.True(results[3].Succeeded);
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(_world.Relay, owner, document.Id)).Count);
    }

    [Fact]
    public async Task A_chain_is_broken_by_another_prev_by_another_envelope_of_a_number_and_by_having_seen_less()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var delta = document.NextDelta(owner);
        await _world.AcceptAsync(owner, document, delta, document.NextGrant(owner, _world.Device().Public, Permission.Write));
        var draft = document.Draft(owner.Public);

        var prev = document.Delta(owner, draft with { Prev = delta.Id });
        var fork = document.Delta(owner, draft with { Seq = delta.Header.Seq, Prev = delta.Header.Prev });
        var less = document.Delta(owner, draft with { Auth = delta.Header.Auth });
        foreach (var broken in new[] { prev, fork, less })
        {
            var refusal = await _world.RefuseAsync(owner, document, broken);
            Assert.Equal((Reason.ChainBroken, draft.Prev), (refusal.Reason, refusal.Tip!.Id));
        }
    }

    [Fact]
    public async Task A_statement_is_stored_only_if_it_is_well_formed_and_counts()
    {
        var owner = _world.Tenant();
        var (writer, other) = (_world.Device(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, writer.Public, Permission.Write));
        var draft = document.Draft(writer.Public);

        var noise = draft.SignStatement(writer, [0xff]);
        var reserved = draft.SignStatement(writer, [0x82, 0x07, 0x00]);
        var unauthorised = draft.SignStatement(
            writer, new Grant(new PeerActor(other.Public), Permission.Read, ZoneId.Root, document.GrantOf(writer.Public)).Encode());
        var second = Draft.First(document.Id) with { Seq = 2, Prev = document.Genesis.Id, Auth = [document.Genesis.Id] };
        var genesis = second.SignStatement(document.Authority, new Genesis(document.Id, DocumentKind.App, new PeerActor(other.Public)).Encode());

        Assert.Equal(Reason.Malformed, (await _world.RefuseAsync(writer, document, noise)).Reason);
        Assert.Equal(Reason.Unsupported, (await _world.RefuseAsync(writer, document, reserved)).Reason);
        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(writer, document, unauthorised)).Reason);
        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(owner, document, genesis)).Reason);
    }

    [Fact]
    public async Task After_a_revocation_only_work_up_to_the_cut_is_stored_whoever_brings_it()
    {
        var owner = _world.Tenant();
        var (writer, other) = (_world.Device(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, writer.Public, Permission.Write), document.NextGrant(owner, other.Public, Permission.Write));
        var (kept, late) = (document.NextDelta(writer), document.NextDelta(writer));
        var revoke = new Revoke(document.GrantOf(writer.Public), document.GrantOf(owner.Public), [new(writer.Public, 1, kept.Id)]);
        var revocation = (document.Draft(owner.Public) with { Deps = [] }).SignStatement(owner, revoke.Encode());
        await _world.AcceptAsync(owner, document, revocation);

        Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(writer, document, kept)).Reason);
        await _world.AcceptAsync(other, document, kept);
        var refusal = await _world.RefuseAsync(other, document, late);
        Assert.Equal(Reason.NotAuthorised, refusal.Reason);
        Assert.Contains(revocation.Id.ToString(), refusal.Message, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static Envelope Tampered(Envelope envelope, bool signed) => signed ? envelope : DocumentBuilder.WithBadSignature(envelope);

    private async Task<DocumentState> StateAsync(DocumentBuilder document) => (await _store.FindAsync(document.Id, CancellationToken.None))!;
}
