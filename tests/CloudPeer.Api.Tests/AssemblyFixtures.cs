using CloudPeer.TestKit;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
