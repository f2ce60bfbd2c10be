using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class ReservedNamespacesTests
{
    [Fact]
    public void Libraries_stay_behind_the_folder_that_owns_them() => Expect.None(ReservedNamespaces.Misplaced(Repository.Code));

    [Theory]
    [InlineData("src/Tlfs.Core/Sealing/A.cs", "using Geralt;")]
    [InlineData("src/CloudPeer.Api/Keys/A.cs", "class A { byte[] b = System.Security.Cryptography.SHA256.HashData(c); }")]
    [InlineData("src/Tlfs.Core/Crypto/A.cs", "using System.Formats.Cbor;")]
    [InlineData("src/CloudPeer.Sync/Relay/A.cs", "using Grpc.Core;")]
    [InlineData("src/CloudPeer.Sync/Relay/A.cs", "using CloudPeer.Sync.Wire;")]
    [InlineData("src/CloudPeer.Sync/Client/A.cs", "using Npgsql;")]
    public void A_misplaced_mention_is_found(string path, string code) => Expect.One(ReservedNamespaces.Misplaced([new(path, code)]), " mention ");

    [Theory]
    [InlineData("src/Tlfs.Core/Crypto/A.cs", "using Geralt; using System.Security.Cryptography;")]
    [InlineData("src/Tlfs.Core/Encoding/A.cs", "using System.Formats.Cbor;")]
    [InlineData("src/CloudPeer.Sync/Client/A.cs", "using Grpc.Net.Client; using GrpcTools;")]
    [InlineData("src/CloudPeer.Sync/Relay/A.cs", "/* Grpc.Core */ using Grpcish;")]
    public void A_mention_in_its_place_is_fine(string path, string code) => Expect.None(ReservedNamespaces.Misplaced([new(path, code)]));
}
