using CloudPeer.Api.Tests.Inbox;
using CloudPeer.Api.Tests.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Access;

/// <summary>The rows of docs/protocol/access.md as calls. A refusal inside an answer is returned like one of the whole call.</summary>
internal static class Calls
{
    private const string DeleteMethod = "/cloudpeer.v1.Sync/DeleteDocument";

    /// <summary>By the first cell of the row.</summary>
    public static readonly Dictionary<string, Func<Scene, Actor, Task<V1.Refusal?>>> All = new(StringComparer.Ordinal)
    {
        ["Discovery.GetServer"] = (scene, actor) => Done(new V1.Discovery.DiscoveryClient(scene.Server.Channel).GetServerAsync(new(), actor.Options)),
        ["Session.Challenge"] = (scene, actor) => Done(new V1.Session.SessionClient(scene.Server.Channel).ChallengeAsync(
            new() { Peer = actor.Device.Peer.ToWire(), ClientNonce = ByteString.CopyFrom(new byte[32]) }, actor.Options)),
        ["Session.Open"] = async (_, actor) =>
        {
            await actor.Device.OpenSessionAsync();
            return null;
        },
        ["Account.Create"] = (_, actor) => Done(actor.Device.Accounts.CreateAsync(new() { Card = actor.Device.Card.Bytes.ToWire() }, actor.Options)),
        ["Account.Create with another's card"] = (scene, actor) => Done(actor.Device.Accounts.CreateAsync(new() { Card = Another(scene, actor).Card.Bytes.ToWire() }, actor.Options)),
        ["Account.GetEntitlement"] = (_, actor) => Done(actor.Device.Accounts.GetEntitlementAsync(new(), actor.Options)),
        ["Account.GetUsage"] = (_, actor) => Drained(actor.Device.Accounts.GetUsage(new(), actor.Options)),
        ["Account.SetAppBudget"] = (_, actor) => Done(actor.Device.Accounts.SetAppBudgetAsync(new() { AppId = "app", LimitBytes = 1 << 20 }, actor.Options)),
        ["Keys.GetCard"] = (scene, actor) => Done(actor.Device.Keys.GetCardAsync(new() { Account = scene.Owner.Card.Account.ToWire() }, actor.Options)),
        ["Inbox.Send"] = (scene, actor) => Done(actor.Device.Inbox.SendAsync(
            new() { Message = ByteString.CopyFrom(InboxClient.Message(scene.Owner.Card.Account, actor.Device.Peer.GetHashCode())) }, actor.Options)),
        ["Inbox.Receive"] = (_, actor) => Drained(actor.Device.Inbox.Receive(new(), actor.Options)),
        ["Inbox.Ack"] = (scene, actor) => Done(actor.Device.Inbox.AckAsync(
            InboxCalls.Ack(actor.Device.Key, scene.Server.Peer, [new MessageId(actor.Device.Peer.Value)], actor.Device.Now), actor.Options)),
        ["Inbox.SetDeliveryToken"] = (scene, actor) => Done(actor.Device.Inbox.SetDeliveryTokenAsync(
            InboxCalls.SetDeliveryToken(actor.Device.Key, scene.Server.Peer, DeliveryToken.Generate(SystemEntropy.Instance), actor.Device.Now), actor.Options)),
        ["Sync.Stream, subscribe"] = (_, actor) => FrameAsync(actor, new() { Subscribe = new() { Document = actor.Document.Id.ToWire() } }),
        ["Sync.Stream, push"] = (_, actor) => FrameAsync(actor, new() { Push = SyncTests.Request(actor.Document.Id, [actor.Document.Genesis]) }),
        ["Sync.Push of what is there"] = (_, actor) => PushAsync(actor, actor.Document.Genesis),
        ["Sync.Push of one's own"] = (_, actor) => PushAsync(actor, actor.Document.Delta(actor.Device.Key, actor.Document.Draft(actor.Device.Peer))),
        ["Sync.Pull"] = (_, actor) => Drained(actor.Device.Sync.Pull(new() { Document = actor.Document.Id.ToWire() }, actor.Options)),
        ["Sync.GetHead"] = (_, actor) => Done(actor.Device.Sync.GetHeadAsync(new() { Document = actor.Document.Id.ToWire() }, actor.Options)),
        ["Sync.Reconcile"] = (_, actor) => Done(actor.Device.Sync.ReconcileAsync(
            new() { Document = actor.Document.Id.ToWire(), Hello = ByteString.CopyFrom(Hello()) }, actor.Options)),
        ["Sync.Ack"] = (_, actor) => Done(actor.Device.Sync.AckAsync(new() { Document = actor.Document.Id.ToWire(), Size = 1 }, actor.Options)),
        ["Sync.GetDelivered"] = (_, actor) => Done(actor.Device.Sync.GetDeliveredAsync(new() { Document = actor.Document.Id.ToWire() }, actor.Options)),
        ["Sync.DeleteDocument"] = (scene, actor) => Done(actor.Device.Sync.DeleteDocumentAsync(Delete(scene.Server, actor.Device, actor.Document.Id), actor.Options)),
    };

    private static TestDevice Another(Scene scene, Actor actor) => scene.Actors[actor.Device == scene.Owner ? "stranger" : "owner"].Device;

    private static async Task<V1.Refusal?> Done<T>(AsyncUnaryCall<T> call)
    {
        using (call) await call.ResponseAsync;
        return null;
    }

    private static async Task<V1.Refusal?> Drained<T>(AsyncServerStreamingCall<T> call)
    {
        using (call)
        {
            while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
            }
        }

        return null;
    }

    private static async Task<V1.Refusal?> PushAsync(Actor actor, Envelope envelope)
    {
        var answer = await actor.Device.Sync.PushAsync(SyncTests.Request(actor.Document.Id, [envelope]), actor.Options);
        return Assert.Single(answer.Results).Refusal;
    }

    private static async Task<V1.Refusal?> FrameAsync(Actor actor, V1.ClientFrame frame)
    {
        using var call = actor.Device.Sync.Stream(actor.Options);
        try
        {
            await call.RequestStream.WriteAsync(frame, TestContext.Current.CancellationToken);
        }
        catch (RpcException)
        {
            // The call has ended already; its answer says why.
        }

        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        var answer = call.ResponseStream.Current;
        return answer.Refused ?? answer.Pushed?.Results[0].Refusal;
    }

    /// <summary>The hello of an empty set (docs/protocol/reconcile.md §2.1).</summary>
    public static byte[] Hello() => Canonical.Encode(writer =>
    {
        writer.BeginArray(4);
        writer.UInt(0);
        writer.Bytes(new byte[16]);
        writer.UInt(0);
        writer.Bytes(new byte[32]);
        writer.EndArray();
    });

    /// <summary>A signed request to delete a document.</summary>
    public static V1.DeleteDocumentRequest Delete(TestServer server, TestDevice device, DocId document)
    {
        var micros = device.Now;
        var canonical = Canonical.Encode(writer => writer.Array([document], writer.Id));
        return new()
        {
            Document = document.ToWire(),
            Micros = micros,
            Signature = ByteString.CopyFrom(SignedRequest.Sign(device.Key, server.Peer, DeleteMethod, micros, canonical)),
        };
    }
}
