using CloudPeer.Api.Accounts;
using CloudPeer.Api.Data;
using CloudPeer.Api.Tests.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Access;

/// <summary>Somebody who makes calls about a document.</summary>
/// <param name="Device">The device.</param>
/// <param name="Document">The document.</param>
/// <param name="Options">What the calls carry.</param>
internal sealed record Actor(TestDevice Device, DocumentBuilder Document, CallOptions Options);

/// <summary>A server, and everybody who has a column in docs/protocol/access.md. The members have no account here.</summary>
internal sealed class Scene : IDisposable
{
    private readonly List<TestDevice> _devices = [];

    private Scene(TestServer server) => Server = server;

    public TestServer Server { get; }

    /// <summary>By the names of the columns.</summary>
    public Dictionary<string, Actor> Actors { get; } = new(StringComparer.Ordinal);

    /// <summary>Who owns the document of all but the one who is suspended.</summary>
    public TestDevice Owner => Actors["owner"].Device;

    public static async Task<Scene> MakeAsync(TestServer server)
    {
        var scene = new Scene(server);
        var owner = await scene.DeviceAsync(registered: true);
        var document = SyncTests.SharedDocument(owner, server);
        scene.Add("owner", owner, document);
        foreach (var (name, permission) in new[]
        {
            ("control", Permission.Control), ("write", Permission.Write), ("read", Permission.Read), ("sync", Permission.Sync), ("revoked", Permission.Write),
        })
        {
            scene.Add(name, await scene.DeviceAsync(registered: false), document);
            document.NextGrant(owner.Key, scene.Actors[name].Device.Peer, permission);
        }

        document.NextDelta(owner.Key);
        document.NextRevoke(owner.Key, scene.Actors["revoked"].Device.Peer);
        await SyncTests.PushAsync(owner, document.Id, document.Envelopes);

        scene.Add("stranger", await scene.DeviceAsync(registered: true), document);
        var tenant = await scene.HostAsync();
        scene.Add("other tenant", tenant.Device, document);
        var suspended = await scene.HostAsync();
        scene.Add("suspended", suspended.Device, suspended.Document);
        scene.Add("its member", await scene.DeviceAsync(registered: false), suspended.Document);
        suspended.Document.NextGrant(suspended.Device.Key, scene.Actors["its member"].Device.Peer, Permission.Write);
        await SyncTests.PushAsync(suspended.Device, suspended.Document.Id, suspended.Document.Envelopes);
        await scene.SuspendAsync(suspended.Device);
        var nobody = await scene.DeviceAsync(registered: false);
        scene.Actors.Add("nobody", new(nobody, document, new(cancellationToken: TestContext.Current.CancellationToken)));
        return scene;
    }

    public void Dispose()
    {
        foreach (var device in _devices) device.Dispose();
    }

    // As an operator does; a running server sees it a little later.
    private async Task SuspendAsync(TestDevice device)
    {
        var databases = Server.Services.GetRequiredService<IDbContextFactory<HostDatabase>>();
        await using (var database = await databases.CreateDbContextAsync(TestContext.Current.CancellationToken))
        {
            var changed = await database.Set<Tenant>().Where(tenant => tenant.Account == device.Card.Account).ExecuteUpdateAsync(
                set => set.SetProperty(tenant => tenant.State, TenantState.Suspended.ToText()), TestContext.Current.CancellationToken);
            Assert.Equal(1, changed);
        }

        Server.Clock.Advance(AccountLimits.Remembered);
    }

    private void Add(string name, TestDevice device, DocumentBuilder document) => Actors.Add(name, new(device, document, device.Options));

    private async Task<Actor> HostAsync()
    {
        var device = await DeviceAsync(registered: true);
        var document = SyncTests.SharedDocument(device, Server);
        await SyncTests.PushAsync(device, document.Id, document.Envelopes);
        return new(device, document, device.Options);
    }

    private async Task<TestDevice> DeviceAsync(bool registered)
    {
        var device = registered ? await TestDevice.RegisterAsync(Server) : await TestDevice.ConnectAsync(Server);
        _devices.Add(device);
        return device;
    }
}
