using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Which documents a server hosts, and for whom (sync.md §1).</summary>
public sealed class HostingTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;

    public HostingTests() => _world = new(_store);

    [Fact]
    public async Task Only_a_tenant_with_control_brings_a_document_and_it_begins_with_the_genesis()
    {
        var owner = _world.Tenant();
        var (stranger, otherTenant) = (_world.Device(), _world.Tenant());
        var document = _world.Document(owner);
        var delta = document.NextDelta(owner);

        Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(stranger, document, document.Genesis)).Reason);
        Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(otherTenant, document, document.Genesis)).Reason);
        Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(owner, document, delta)).Reason);
        Assert.False(await MayReadAsync(owner, document));
        await _world.AcceptAsync(owner, document, document.Genesis, delta);
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(_world.Relay, owner, document.Id)).Count);
    }

    [Fact]
    public async Task Whoever_may_not_host_a_document_is_not_told_whether_it_is_here()
    {
        var (owner, stranger) = (_world.Tenant(), _world.Tenant());
        var (here, elsewhere) = (await _world.HostedAsync(owner), _world.Document(owner));
        foreach (var document in new[] { here, elsewhere })
        {
            Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(stranger, document, document.Genesis)).Reason);
            Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(stranger, document, document.Genesis, document.NextDelta(stranger))).Reason);
            foreach (var shown in new[] { document.Genesis.Bytes, new byte[] { 1 }, DocumentBuilder.WithBadSignature(document.Genesis).Bytes })
            {
                var results = await _world.Relay.PushAsync(stranger.Public, document.Id, [[document.Genesis.Bytes]], CancellationToken.None, statements: [shown]);
                Assert.Equal((Reason.NotFound, Refusal.NotFound.Message), (Assert.Single(results).Refusal?.Reason, results[0].Refusal?.Message));
            }
        }

        _world.Tenants.Change(_world.Tenants.Register(stranger.Public), 0, mayWrite: false);
        foreach (var document in new[] { here, elsewhere })
            Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(stranger, document, document.Genesis)).Reason);
    }

    [Fact]
    public async Task A_device_that_the_bundle_gives_control_may_host_and_its_tenant_pays()
    {
        var (owner, manager) = (_world.Device(), _world.Tenant());
        var document = _world.Document(owner);
        var write = document.NextGrant(owner, manager.Public, Permission.Write);
        var control = document.NextGrant(owner, manager.Public, Permission.Control);

        Assert.Equal(Reason.NotFound, (await _world.RefuseAsync(manager, document, document.Genesis, write)).Reason);
        await _world.AcceptAsync(manager, document, document.Genesis, write, control);
        Assert.Equal(_world.Tenants.Register(manager.Public), (await _store.FindAsync(document.Id, CancellationToken.None))!.Host);
    }

    [Fact]
    public async Task Until_the_server_has_a_grant_only_the_hosting_tenant_is_served_and_then_everybody_with_sync()
    {
        var (owner, member, stranger) = (_world.Tenant(), _world.Device(), _world.Device());
        var document = _world.Document(owner);
        await _world.AcceptAsync(owner, document, document.Genesis, document.NextGrant(owner, member.Public, Permission.Write));
        await _world.AssertNotServedAsync(member, document);
        Assert.True(await MayReadAsync(owner, document));

        await _world.AcceptAsync(owner, document, document.NextGrant(owner, _world.Server.Public, Permission.Sync));
        await _world.AcceptAsync(member, document, document.NextDelta(member));
        Assert.True(await MayReadAsync(member, document));
        await _world.AssertNotServedAsync(stranger, document);

        // A grant to anyone lets anyone read.
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, AnyoneActor.Instance, Permission.Sync));
        Assert.True(await MayReadAsync(stranger, document));
        Assert.Equal(Reason.AuthorUnknown, (await _world.RefuseAsync(stranger, document, document.Delta(stranger, document.Draft(stranger.Public)))).Reason);
    }

    [Fact]
    public async Task A_grant_to_anyone_does_not_make_the_server_a_host()
    {
        var (owner, stranger) = (_world.Tenant(), _world.Device());
        var document = _world.Document(owner);
        await _world.AcceptAsync(owner, document, document.Genesis, document.NextGrant(owner, AnyoneActor.Instance, Permission.Sync));
        await _world.AssertNotServedAsync(stranger, document);
    }

    [Fact]
    public async Task After_the_servers_grant_was_revoked_members_read_and_nobody_writes_until_it_is_granted_again()
    {
        var (owner, member) = (_world.Tenant(), _world.Device());
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, member.Public, Permission.Write));
        await _world.AcceptAsync(owner, document, document.NextRevoke(owner, _world.Server.Public));

        var delta = document.NextDelta(member);
        Assert.Equal(Reason.NotHosted, (await _world.RefuseAsync(member, document, delta)).Reason);
        Assert.Equal(Reason.NotHosted, (await _world.RefuseAsync(owner, document, document.Genesis)).Reason);
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(_world.Relay, member, document.Id)).Count);
        await _world.AssertNotServedAsync(_world.Device(), document);

        // A grant that would not count does not open it either.
        var unauthorised = document.Draft(member.Public).SignStatement(
            member, new Grant(new PeerActor(_world.Server.Public), Permission.Sync, Tlfs.Core.Ids.ZoneId.Root, document.GrantOf(member.Public)).Encode());
        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(member, document, delta, Rebase(unauthorised, member, delta, document))).Reason);
        await _world.AcceptAsync(owner, document, delta, document.NextGrant(owner, _world.Server.Public, Permission.Sync));
        await _world.AcceptAsync(member, document, document.NextDelta(member));
    }

    [Fact]
    public async Task An_account_is_served_through_the_device_that_its_card_names()
    {
        var owner = _world.Tenant();
        using var friend = AccountKeys.Create(_world.Entropy, RecoveryPhrase.Generate(_world.Entropy));
        var document = await _world.HostedAsync(owner);
        await _world.AcceptAsync(owner, document, document.NextGrant(owner, friend.Card.Actor, Permission.Write));

        await _world.AcceptAsync(friend.Device, document, document.NextDelta(friend.Device));
        Assert.Equal(4, (await RelayWorld.ReadAllAsync(_world.Relay, friend.Device, document.Id)).Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    // The statement where it would stand after the delta.
    private static Envelope Rebase(Envelope statement, SigningKey author, Envelope previous, DocumentBuilder document) =>
        new Draft(document.Id, previous.Header.Seq + 1, previous.Id, [], statement.Header.Auth, null).SignStatement(author, statement.Body.Span);

    private ValueTask<bool> MayReadAsync(SigningKey reader, DocumentBuilder document) =>
        _world.Relay.MayReadAsync(reader.Public, document.Id, CancellationToken.None);
}
